"""Leases on a local disk by flock(2): the kernel gives one up with its holder, however that dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from conf.errors import NotFound
from targets.faults import faults
from targets.filesystem import LeaseHeld

_LONGEST = 4096


class HeldByKernel:
    """A lease that cannot be lost while its holder lives."""

    def check(self) -> None:
        """Nothing can have happened."""


@contextlib.contextmanager
def hold(path: str, holder: str) -> Iterator[HeldByKernel]:
    """Holds the file at ``path``, in a directory that is there, while the block runs; LeaseHeld if another does."""
    descriptor = _lock(path)
    try:
        with faults(path):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, holder.encode(), 0)
        yield HeldByKernel()
    finally:
        Path(path).unlink(missing_ok=True)
        os.close(descriptor)


def holder_of(path: str) -> str | None:
    """What the holder said of itself, or None if nobody holds the file."""
    with contextlib.suppress(NotFound), faults(path, missing=True), Path(path).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read(_LONGEST).decode(errors="replace")
    return None


def _lock(path: str) -> int:
    """A descriptor that holds the lock of the file that is at ``path`` now."""
    while True:
        with faults(path):
            # Closed on exec, so that a child never keeps it.
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            said = os.pread(descriptor, _LONGEST, 0).decode(errors="replace")
            os.close(descriptor)
            raise LeaseHeld(said) from None
        # The last holder removes the file before it lets go: what we locked may have left the directory by now.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):  # noqa: PTH116
                return descriptor
        os.close(descriptor)
