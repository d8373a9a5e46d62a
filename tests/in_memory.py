"""Whether the system keeps a file in memory."""

from __future__ import annotations

import errno
import os

import pytest


def is_in_memory(path: str) -> bool:
    """Whether the file's first page is there: it is asked for it, and not to wait for a disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.preadv(descriptor, [bytearray(1)], 0, os.RWF_NOWAIT) == 1
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            pytest.skip("the file system of the temporary directory does not say what is in memory")
        raise
    finally:
        os.close(descriptor)
