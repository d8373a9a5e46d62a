"""From a file out of the client's reach to our own copy of its bytes, hashed on the way."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from targets.refusal import refusal

if TYPE_CHECKING:
    from hashlib import _Hash

_PIECE = 1 << 20
_KINDS = {
    stat.S_IFLNK: "symbolic link",
    stat.S_IFDIR: "directory",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


def require_file(file: Path) -> None:
    """Refuses what is no regular file, without opening it: to open a device may do something."""
    kind = stat.S_IFMT(file.lstat().st_mode)
    if kind != stat.S_IFREG:
        raise refusal("upload.not_a_file", value=_KINDS.get(kind, "thing unknown"))


def copy_in(file: Path, copy: Path, digest: _Hash, most: int) -> int:
    """Copies the file and syncs the copy. The client may hold the file open and write on: the copy is what counts.

    Args:
        file: out of the client's reach by now.
        copy: made here, mode 0600.
        digest: takes in the bytes.
        most: bytes that are taken.

    Returns:
        Bytes copied.

    Raises:
        UploadRefused: linked, empty, too large, not readable, or written to meanwhile.
        OSError: a fault of the disk.
    """
    with _opened(file) as source:
        before = os.fstat(source)
        if before.st_nlink != 1:
            raise refusal("upload.linked")
        if before.st_size > most:
            raise refusal("upload.too_large", limit=most)
        size = _copy(source, copy, digest, most)
        after = os.fstat(source)
    if not size:
        raise refusal("upload.empty")
    if size != before.st_size or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise refusal("upload.changed")
    return size


def _copy(source: int, copy: Path, digest: _Hash, most: int) -> int:
    size = 0
    with os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as goal:
        while piece := os.read(source, _PIECE):
            size += len(piece)
            if size > most:
                raise refusal("upload.too_large", limit=most)
            digest.update(piece)
            goal.write(piece)
        goal.flush()
        os.fsync(goal.fileno())
    return size


@contextmanager
def _opened(file: Path) -> Iterator[int]:
    try:
        # Not to wait for a writer, should it be a pipe after all.
        source = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError as error:
        raise refusal("upload.unreadable") from error
    try:
        yield source
    finally:
        os.close(source)
