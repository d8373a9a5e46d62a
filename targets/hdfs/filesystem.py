"""HDFS as a file system of ours."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO, TypeVar

from conf.errors import NotFound
from targets.filesystem import Entry, Lease
from targets.hdfs import files, lease
from targets.hdfs.faults import patiently
from targets.hdfs.place import HdfsPlace
from targets.hdfs.transport import Status, Transport, transport

_T = TypeVar("_T")
_TEMPORARY = ".tmp-"


@dataclass(frozen=True)
class HdfsFileSystem:
    """The directories of one HDFS, as one of its users.

    What is acknowledged is durable: names are in the NameNode's journal; bytes that a writer of ours wrote are synced
    to the DataNodes' disks before the file gets its name (over ``web``, and of files that Spark writes, if the
    DataNodes have ``dfs.datanode.synconclose``).
    """

    place: HdfsPlace
    leases: lease.Times = field(default_factory=lease.Times)

    def exists(self, path: str) -> bool:
        try:
            self.status(path)
        except NotFound:
            return False
        return True

    def status(self, path: str) -> Status:
        """Owner, group, mode and size of what is there; NotFound."""
        return self._do(path, lambda hdfs: hdfs.status(path))

    def list(self, path: str) -> list[Entry]:
        return [_entry(one) for one in self.names(path) if not one.name.startswith(_TEMPORARY)]

    def walk(self, path: str) -> Iterator[tuple[str, Entry]]:
        for entry in self.list(path):
            if not entry.is_directory:
                yield entry.name, entry
                continue
            for name, below in self.walk(f"{path}/{entry.name}"):
                yield f"{entry.name}/{name}", below

    def read(self, path: str) -> bytes:
        with self.open(path) as file:
            return file.read()

    def open(self, path: str) -> BinaryIO:
        return files.reader(path, self.place)

    @contextlib.contextmanager
    def writer(self, path: str) -> Iterator[BinaryIO]:
        part = temporary(path)
        try:
            with files.writer(part, self.place.file_mode, self.place) as file:
                yield file
            self.move(part, path)
        except BaseException:
            # One try: HDFS may be what is wrong, and what is left is swept.
            with contextlib.suppress(Exception):
                transport(self.place).delete(part, False)
            raise

    def create(self, path: str, data: bytes) -> None:
        def whole(_: int) -> None:
            with self.writer(path) as file:
                file.write(data)

        patiently(whole, path, self.place)

    def make_directory(self, path: str) -> None:
        self._do(path, lambda hdfs: hdfs.make_directory(path, self.place.dir_mode))

    def rename(self, source: str, goal: str) -> None:
        self.make_directory(goal.rpartition("/")[0])
        self.move(source, goal)

    def move(self, source: str, goal: str) -> None:
        """``rename`` into a directory that is there."""

        def once(tried: int) -> None:
            try:
                transport(self.place).rename(source, goal)
            except Exception:
                # A call that is repeated finds its own work done where the first answer was lost.
                if not tried or self.exists(source) or not self.exists(goal):
                    raise

        patiently(once, goal, self.place)

    def remove(self, path: str) -> None:
        with contextlib.suppress(NotFound):
            self._do(path, lambda hdfs: hdfs.delete(path, True))

    def remove_empty(self, path: str) -> None:
        """Removes a directory in which nothing is; AlreadyExists where something is."""
        with contextlib.suppress(NotFound):
            self._do(path, lambda hdfs: hdfs.delete(path, False))

    def own(self, path: str, owner: str, group: str) -> None:
        """Gives a name another owner (which only HDFS's superuser may) or group; empty leaves it."""
        self._do(path, lambda hdfs: hdfs.own(path, owner, group))

    def sync(self, path: str) -> None:
        """Nothing is left to do: see above what is durable when."""

    def forget(self, path: str, begin: int = 0, size: int = 0) -> None:
        """Nothing: the memory is that of HDFS's own servers."""

    def sweep(self, path: str) -> None:
        for one in self.names(path):
            if one.name.startswith(_TEMPORARY):
                self.remove(f"{path}/{one.name}")
            elif one.is_directory:
                self.sweep(f"{path}/{one.name}")

    def uri(self, path: str) -> str:
        return f"{self.place.url}{path}"

    def lease(self, path: str, holder: str) -> contextlib.AbstractContextManager[Lease]:
        return lease.hold(self, path, holder)

    def lease_holder(self, path: str) -> str | None:
        return lease.holder_of(self, path)

    def names(self, path: str) -> Sequence[Status]:
        """All that is in a directory by name, temporary names too; none where there is no directory."""
        try:
            return sorted(self._do(path, lambda hdfs: hdfs.entries(path)))
        except NotFound:
            return []

    def impatient(self) -> HdfsFileSystem:
        """The same, which does not wait for HDFS where it is away."""
        return replace(self, place=replace(self.place, patience=0))

    def _do(self, path: str, do: Callable[[Transport], _T]) -> _T:
        return patiently(lambda _: do(transport(self.place)), path, self.place)


def temporary(path: str) -> str:
    """A name beside ``path`` that no reader sees and ``sweep`` removes."""
    return f"{path.rpartition('/')[0]}/{_TEMPORARY}{uuid.uuid4().hex}"


def _entry(found: Status) -> Entry:
    return Entry(found.name, found.is_directory, found.bytes, found.modified)
