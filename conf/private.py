"""Reading what is for its owner's eyes alone: a file that a setting names because it holds a secret."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from conf.errors import AccessDenied


def read_private(path: Path, most: int) -> bytes:
    """A small file that nobody but its owner can read.

    Args:
        path: a regular file, no link, mode 0600 or less, of ours or root's.
        most: how many bytes it may have.

    Raises:
        FileNotFoundError: there is none.
        AccessDenied: it is not such a file.
    """
    try:
        # A pipe would keep us waiting for a writer; O_NONBLOCK opens it at once, to be refused below.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = "it is a link" if path.is_symlink() else error.strerror
        raise AccessDenied(f"{path} cannot be read: {reason}.", "Name a file of your own, mode 0600.") from error
    try:
        _refuse_unless_private(path, os.fstat(descriptor))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(most + 1)
    finally:
        os.close(descriptor)
    if len(data) > most:
        raise AccessDenied(f"{path} has more than {most} bytes.", "Name the right file.")
    return data


def _refuse_unless_private(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise AccessDenied(f"{path} is not a regular file.", "Name a file of your own, mode 0600.")
    if found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        raise AccessDenied(f"{path} is open to others (mode {mode:04o}).", f"Run chmod 600 {path}.")
    if found.st_uid not in (os.geteuid(), 0):
        raise AccessDenied(f"{path} belongs to another user.", f"Run chown {os.geteuid()} {path}.")
