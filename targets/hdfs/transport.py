"""How HDFS is reached: a small protocol, carried by RPC (hdfs-native) and by WebHDFS (the ``hdfs`` package)."""

from __future__ import annotations

import functools
import os
from dataclasses import replace
from typing import NamedTuple, Protocol

from targets.hdfs.place import HdfsPlace


class Status(NamedTuple):
    """One name: ``modified`` is seconds since the epoch by the NameNode's clock, ``mode`` the nine bits."""

    name: str
    is_directory: bool
    bytes: int
    modified: float
    owner: str
    group: str
    mode: int


class Source(Protocol):
    """A file being read."""

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from an offset; fewer only at the end of the file."""


class Sink(Protocol):
    """A file being written."""

    def write(self, data: bytes) -> None:
        """Takes more bytes."""

    def close(self) -> None:
        """Ends the file: all of it is with the DataNodes, and on their disks as ``docs/hdfs.md`` says."""

    def abandon(self) -> None:
        """Gives the file up; what is there of it stays under its temporary name."""


class Transport(Protocol):
    """One try of each operation. What goes wrong is raised as the library raises it (see ``faults``)."""

    def status(self, path: str) -> Status:
        """What is there."""

    def entries(self, path: str) -> list[Status]:
        """The entries of a directory; of a file nothing."""

    def make_directory(self, path: str, mode: int) -> None:
        """A directory with its parents; one that is there is success."""

    def rename(self, source: str, goal: str) -> None:
        """Moves; refuses where ``goal`` is there."""

    def delete(self, path: str, recursive: bool) -> None:
        """Removes; nothing there is success. Not recursive: refuses a directory with entries."""

    def own(self, path: str, owner: str, group: str) -> None:
        """Gives a name another owner or group; empty leaves it."""

    def source(self, path: str) -> Source:
        """Opens for reading."""

    def sink(self, path: str, mode: int) -> Sink:
        """A new file, or an empty one in place of one that an earlier try left; parents are made."""


def transport(place: HdfsPlace) -> Transport:
    """The transport of this process: connections are not shared with processes that it was forked from."""
    return _transport(replace(place, patience=0), os.getpid())


@functools.lru_cache(maxsize=64)
def _transport(place: HdfsPlace, _process: int) -> Transport:
    if place.transport == "web":
        from targets.hdfs.web import WebTransport

        return WebTransport(place)
    from targets.hdfs.rpc import RpcTransport

    return RpcTransport(place)
