"""Files for their owner's eyes alone: passwords, the directory in a file, the audit log."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conf.errors import StorageError
from conf.private import read_private
from targets.whole_file import replace_whole

__all__ = ["append_private", "held_private", "read_private", "write_private"]

_CREATE = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def write_private(path: Path, data: bytes) -> None:
    """Replaces a file, mode 0600, whole or not at all; its directory is made (mode 0700) where there is none."""
    with _written(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_whole(path, data, 0o600)


def append_private(path: Path, line: bytes) -> None:
    """Adds one line (newline included) to a file of mode 0600 by one write; StorageError if it is not there whole.

    What an earlier writer left unfinished (the disk was full) stays a line of its own.
    """
    with _written(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, _CREATE | os.O_APPEND | os.O_NONBLOCK, 0o600)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EINVAL, "it is not a regular file")
            if found.st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
            unfinished = found.st_size > 0 and os.pread(descriptor, 1, found.st_size - 1) != b"\n"
            whole = b"\n" + line if unfinished else line
            if os.write(descriptor, whole) != len(whole):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)


@contextmanager
def held_private(path: Path) -> Iterator[None]:
    """Holds a lock file while the block runs; waits for whoever holds it."""
    with _written(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, _CREATE, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.", "See to space and permissions.") from error
