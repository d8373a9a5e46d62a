"""Directories within a client's reach, held open: what goes by the descriptor, no symbolic link leads away."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC

# What open(2) says of a name that is no directory, or is not there.
NO_DIRECTORY = (FileNotFoundError, NotADirectoryError)


@contextlib.contextmanager
def held(root: Path, path: Path, make: bool = False) -> Iterator[int]:
    """A descriptor of the directory ``path`` below ``root``, of which no part below ``root`` is a symbolic link.

    Args:
        root: what the operator named; it may be a link itself.
        path: the directory.
        make: make what is missing.

    Raises:
        OSError: one of ``NO_DIRECTORY`` where there is none (for a link as well), or what else keeps us out.
    """
    if make:
        root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(root, _FLAGS)
    try:
        for name in path.relative_to(root).parts:
            below = _below(descriptor, name, make)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def sync(directory: Path) -> None:
    """Makes the names in a directory durable."""
    descriptor = os.open(directory, _FLAGS)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _below(parent: int, name: str, make: bool) -> int:
    try:
        return os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=parent)
    except FileNotFoundError:
        if not make:
            raise
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
    made = os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=parent)
    _inherit(made, parent)
    os.fsync(parent)
    return made


def _inherit(made: int, parent: int) -> None:
    """A new feed's directory is as open to the client as the operator made ``incoming`` and ``outbox``."""
    above = os.fstat(parent)
    os.fchmod(made, stat.S_IMODE(above.st_mode))
    # Only root gives files away; whoever else runs Landfall owns the parent already, or its group lets the client in.
    with contextlib.suppress(PermissionError):
        os.fchown(made, above.st_uid, above.st_gid)
