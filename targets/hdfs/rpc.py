"""HDFS by its own RPC and data transfer, through hdfs-native."""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from hdfs_native import AsyncClient, AsyncFileReader, AsyncFileWriter, FileStatus, WriteOptions

from targets.hdfs.acting import as_caller
from targets.hdfs.place import HdfsPlace
from targets.hdfs.transport import Status

_T = TypeVar("_T")


class RpcTransport:
    """hdfs-native's asynchronous client on a loop of its own: each call has a time limit and can be interrupted."""

    def __init__(self, place: HdfsPlace) -> None:
        self._place = place
        kerberos: dict[str, str] = {}
        if place.kerberos and place.principal:
            kerberos = {"kerberos_principal": place.principal, "kerberos_keytab": place.keytab}
        with as_caller(place):
            self._client = AsyncClient(place.url, dict(place.properties), place.conf_dir or None, **kerberos)

    def status(self, path: str) -> Status:
        return _status(self.run(self._client.get_file_info(path)))

    def entries(self, path: str) -> list[Status]:
        return [_status(one) for one in self.run(self._listed(path)) if one.path.rstrip("/") != path]

    def make_directory(self, path: str, mode: int) -> None:
        self.run(self._client.mkdirs(path, mode, True))

    def rename(self, source: str, goal: str) -> None:
        self.run(self._client.rename(source, goal, False))

    def delete(self, path: str, recursive: bool) -> None:
        self.run(self._client.delete(path, recursive))

    def own(self, path: str, owner: str, group: str) -> None:
        self.run(self._client.set_owner(path, owner or None, group or None))

    def source(self, path: str) -> RpcSource:
        return RpcSource(self, self.run(self._client.read(path)))

    def sink(self, path: str, mode: int) -> RpcSink:
        options = WriteOptions(permission=mode, overwrite=True, create_parent=True)
        if self._place.replication:
            options.replication = self._place.replication
        return RpcSink(self, self.run(self._client.create(path, options)))

    def run(self, call: Coroutine[Any, Any, _T]) -> _T:
        """Waits for one call, as the user of this place; TimeoutError if it takes longer than a call may."""
        with as_caller(self._place):
            waiting = asyncio.run_coroutine_threadsafe(asyncio.wait_for(call, self._place.timeout), _loop(os.getpid()))
            try:
                return waiting.result()
            except BaseException:
                waiting.cancel()
                raise

    async def _listed(self, path: str) -> list[FileStatus]:
        return [one async for one in self._client.list_status(path, False)]


class RpcSource:
    """A file being read; its blocks' places were asked for once."""

    def __init__(self, rpc: RpcTransport, file: AsyncFileReader) -> None:
        self._rpc = rpc
        self._file = file
        self.size = len(file)

    def read(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        return self._rpc.run(self._file.read_range(offset, length)) if length > 0 else b""


class RpcSink:
    """A file being written; its bytes are synced to the DataNodes' disks before it is closed."""

    def __init__(self, rpc: RpcTransport, file: AsyncFileWriter) -> None:
        self._rpc = rpc
        self._file = file
        self._written = 0

    def write(self, data: bytes) -> None:
        self._rpc.run(self._file.write(data))
        self._written += len(data)

    def close(self) -> None:
        if self._written:
            self._rpc.run(self._file.hsync())
        self._rpc.run(self._file.close())

    def abandon(self) -> None:
        # Dropped, not closed: the NameNode forgets it with its name.
        del self._file


def _status(found: FileStatus) -> Status:
    name = found.path.rstrip("/").rpartition("/")[2]
    size = 0 if found.isdir else found.length
    mode = found.permission & 0o777
    return Status(name, found.isdir, size, found.modification_time / 1000, found.owner, found.group, mode)


@functools.lru_cache(maxsize=1)
def _loop(_process: int) -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="hdfs", daemon=True).start()
    return loop
