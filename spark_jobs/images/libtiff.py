"""What libtiff complains of: by itself it writes to stderr, and Pillow takes what it made all the same.

Source: https://libtiff.gitlab.io/libtiff/functions/TIFFError.html
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import _imaging

_Handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)


@contextmanager
def complaints() -> Iterator[list[str]]:
    """Takes libtiff's errors for as long as it lasts: the names of the functions that had one. One thread at a time."""
    found: list[str] = []

    def note(module: bytes | None, _form: bytes | None, _values: int | None) -> None:
        found.append((module or b"libtiff").decode("ascii", "replace"))

    handler = _Handler(note)
    # the library that Pillow is linked with, wherever it lies
    set_handler = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
    set_handler.restype, set_handler.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    before = set_handler(ctypes.cast(handler, ctypes.c_void_p))
    try:
        yield found
    finally:
        set_handler(before)
