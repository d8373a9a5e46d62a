"""The system's errors as ours, each with what to do."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from conf.errors import AlreadyExists, NotFound, StorageError


@contextlib.contextmanager
def faults(place: str | Path, missing: bool = False) -> Iterator[None]:
    """Turns what the system says of a place into StorageError.

    Args:
        missing: whether a name that is not there, or is taken, is NotFound or AlreadyExists rather than a fault.
    """
    try:
        yield
    except OSError as error:
        if missing and isinstance(error, FileNotFoundError):
            raise NotFound(f"{place} is not there.") from error
        if missing and isinstance(error, FileExistsError):
            raise AlreadyExists(f"{place} is there already.") from error
        raise StorageError(f"{place}: {error.strerror or error}.", _remedy(error.errno)) from error


def _remedy(number: int | None) -> str:
    if number in (errno.ENOSPC, errno.EDQUOT):
        return "Make space on the disk and run again; the work goes on where it stopped."
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "Give this user the right to read and write there and run again."
    if number in (errno.ENOTDIR, errno.ELOOP, errno.EISDIR):
        return "Something else stands where this directory or file belongs: move it away and run again."
    if number == errno.EXDEV:
        return "All of it must lie on one file system: move it there and run again."
    return "See to the disk and run again; the work goes on where it stopped."
