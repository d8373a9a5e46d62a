"""The local file system."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from conf.errors import NotFound
from targets.faults import faults
from targets.filesystem import Entry, Lease
from targets.flock import hold, holder_of

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_TEMPORARY = ".tmp-"
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class LocalFileSystem:
    """Directories of this machine. Directories are made for the owner only, files with mode 0600."""

    def exists(self, path: str) -> bool:
        with faults(path, missing=True):
            return os.path.lexists(path)

    def list(self, path: str) -> list[Entry]:
        try:
            with faults(path, missing=True), os.scandir(path) as found:
                return sorted(entry for entry in map(_entry, found) if entry and not entry.name.startswith(_TEMPORARY))
        except NotFound:
            return []

    def walk(self, path: str) -> Iterator[tuple[str, Entry]]:
        for entry in self.list(path):
            if not entry.is_directory:
                yield entry.name, entry
                continue
            for name, below in self.walk(f"{path}/{entry.name}"):
                yield f"{entry.name}/{name}", below

    def read(self, path: str) -> bytes:
        with faults(path, missing=True):
            return Path(path).read_bytes()

    def open(self, path: str) -> BinaryIO:
        with faults(path, missing=True):
            return Path(path).open("rb")

    @contextlib.contextmanager
    def writer(self, path: str) -> Iterator[BinaryIO]:
        goal = Path(path)
        temporary = goal.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")
        with faults(path, missing=True):
            self.make_directory(str(goal.parent))
            try:
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                # A link, unlike a rename, refuses to replace what is there.
                os.link(temporary, goal)
            finally:
                temporary.unlink(missing_ok=True)
            _sync_directory(goal.parent)

    def create(self, path: str, data: bytes) -> None:
        with self.writer(path) as file:
            file.write(data)

    def make_directory(self, path: str) -> None:
        with faults(path, missing=True):
            _make_directory(Path(path))

    def rename(self, source: str, goal: str) -> None:
        self.make_directory(str(Path(goal).parent))
        with faults(goal, missing=True):
            _rename_without_replacing(source, goal)
            _sync_directory(Path(goal).parent)
            _sync_directory(Path(source).parent)

    def remove(self, path: str) -> None:
        with faults(path, missing=True):
            try:
                if stat.S_ISDIR(os.lstat(path).st_mode):
                    shutil.rmtree(path)
                else:
                    Path(path).unlink()
            except FileNotFoundError:
                return

    def sync(self, path: str) -> None:
        with faults(path, missing=True):
            for directory, _, files in os.walk(path):
                for name in files:
                    _sync(f"{directory}/{name}", os.O_RDONLY)
                _sync_directory(Path(directory))
            _sync_directory(Path(path).parent)

    def forget(self, path: str, begin: int = 0, size: int = 0) -> None:
        with contextlib.suppress(OSError):  # what the system does with a hint is no matter of ours
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.posix_fadvise(descriptor, begin, size, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)

    def sweep(self, path: str) -> None:
        with faults(path, missing=True):
            for directory, _, files in os.walk(path):
                for name in files:
                    if name.startswith(_TEMPORARY):
                        Path(directory, name).unlink(missing_ok=True)

    def uri(self, path: str) -> str:
        # Not Path.as_uri(): Spark and DuckDB take %3D for itself, not for the = of a partition's directory.
        return f"file://{path}"

    @contextlib.contextmanager
    def lease(self, path: str, holder: str) -> Iterator[Lease]:
        self.make_directory(str(Path(path).parent))
        with hold(path, holder) as held:
            yield held

    def lease_holder(self, path: str) -> str | None:
        return holder_of(path)


def _entry(found: os.DirEntry[str]) -> Entry | None:
    """The entry, or None if it has gone since it was listed."""
    try:
        status = found.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    directory = stat.S_ISDIR(status.st_mode)
    return Entry(found.name, directory, 0 if directory else status.st_size, status.st_mtime)


def _make_directory(path: Path) -> None:
    """Makes a directory and its parents, each name durable."""
    if path.is_dir():
        return
    _make_directory(path.parent)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
        _sync_directory(path.parent)


def _rename_without_replacing(source: str, goal: str) -> None:
    """renameat2(RENAME_NOREPLACE): plain rename(2) replaces an empty directory without a word."""
    done = _LIBC.renameat2(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(goal), _RENAME_NOREPLACE)
    if done == 0:
        return
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number), goal)


def _sync(path: str, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_directory(path: Path) -> None:
    _sync(str(path), os.O_RDONLY | os.O_DIRECTORY)
