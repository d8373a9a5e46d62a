"""Memory that a process has given back, and soon wants again."""

from __future__ import annotations

import ctypes

import pyarrow as pa

# malloc.h's options M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD, in bytes, and M_ARENA_MAX: each thread would keep
# as much for itself.
_KEPT = {-1: 128 << 20, -2: 16 << 20, -3: 32 << 20, -8: 1}


def keep() -> None:
    """Has this process, and those that it forks, keep what memory they have given back, up to a bound: they want as
    much for their next pictures.

    Each page that the kernel gives anew is cleared first, which is a twentieth of a picture's time.
    """
    # Other systems' C libraries have no such options, and no need of them is known.
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        for option, size in _KEPT.items():
            set_option(option, size)
        pa.set_memory_pool(pa.system_memory_pool())
