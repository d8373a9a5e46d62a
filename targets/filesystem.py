"""The file system protocol: few operations, and ``tests/contracts`` holds every implementation to their promises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, NamedTuple, Protocol


class Entry(NamedTuple):
    """One name in a directory: ``bytes`` is 0 for a directory, ``modified`` is seconds since the epoch."""

    name: str
    is_directory: bool
    bytes: int
    modified: float


class Lease(Protocol):
    """A name that is held."""

    def check(self) -> None:
        """Raises ``LeaseLost`` unless the name is still ours; asked right before what only the holder may do."""


class FileSystem(Protocol):
    """Paths are absolute, with ``/`` between names. Implementations are picklable, for Spark's Python workers.

    Faults are ``NotFound``, ``AlreadyExists`` or ``StorageError`` (disk full, no permission, server away).
    """

    def exists(self, path: str) -> bool:
        """Whether a file or directory is there."""

    def list(self, path: str) -> list[Entry]:
        """The entries of a directory by name; none where there is no directory."""

    def walk(self, path: str) -> Iterator[tuple[str, Entry]]:
        """Every file below a directory, by name: its path relative to it (``table/part-0.parquet``) and its entry."""

    def read(self, path: str) -> bytes:
        """A small file, whole."""

    def open(self, path: str) -> BinaryIO:
        """A file for reading from any offset (seekable)."""

    def writer(self, path: str) -> AbstractContextManager[BinaryIO]:
        """A new file; parents are made. It appears under ``path``, whole and synced, when the block ends without an
        exception, and not at all otherwise. AlreadyExists if the name is taken by then.
        """

    def create(self, path: str, data: bytes) -> None:
        """``writer`` in one call: a small file that is there whole, or not. AlreadyExists if the name is taken."""

    def make_directory(self, path: str) -> None:
        """A directory with its parents; one that is there already is success."""

    def rename(self, source: str, goal: str) -> None:
        """Moves a file or directory; parents of ``goal`` are made. AlreadyExists where ``goal`` is there, even as an
        empty directory: nothing is ever replaced.
        """

    def remove(self, path: str) -> None:
        """Removes a file or a directory with all below it; nothing there is success."""

    def sync(self, path: str) -> None:
        """Makes a directory, all files below it, and its own name durable."""

    def forget(self, path: str, begin: int = 0, size: int = 0) -> None:
        """Says that so many bytes of a durable file, or all from ``begin`` on, will hardly be read again, so that the
        memory in which the system keeps them may go to others. The file stays; where there is none, that is success.
        """

    def sweep(self, path: str) -> None:
        """Removes what killed writers left below a directory."""

    def uri(self, path: str) -> str:
        """The path as Spark and DuckDB know it."""

    def lease(self, path: str, holder: str) -> AbstractContextManager[Lease]:
        """Holds the name exclusively while the block runs; dies with the process. ``LeaseHeld`` if another holds it.

        A holder that is dead is followed within a minute, whoever tries to. One that was stopped for so long that
        another follows it hears of it from ``Lease.check``; giving up what is another's by then does nothing.
        """

    def lease_holder(self, path: str) -> str | None:
        """What the holder said of itself, or None if nobody holds the name."""


class LeaseHeld(Exception):
    """Another process holds the lease; ``holder`` is what it said of itself. Caught by whoever waits."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder
