"""Pillow's pictures as plain pixels: 8 bits, gray or RGB, over white."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spark_jobs.images.picture import Pixels

_ROWS = 256  # converted at a time, so that no second picture's memory is needed
# What Pillow has to say of a picture is told as that picture's outcome
logging.getLogger("PIL").setLevel(logging.CRITICAL)
_GUARD = threading.RLock()  # warnings and the limit are the process's


@contextmanager
def guarded() -> Iterator[None]:
    """Silences Pillow's warnings and its process-wide limit on pixels: ours was checked already."""
    with _GUARD, warnings.catch_warnings(action="ignore"):
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def flat(image: Image.Image) -> Pixels:
    """(height, width) or (height, width, 3) of a loaded picture in any of Pillow's modes; transparency over white.

    16 bits are scaled, not clipped. Wider integers and floats have no agreed white: see ``spread``.
    """
    if image.mode.startswith("I;16"):
        return widened(np.asarray(image), 65535)
    if image.mode in ("I", "F"):
        return spread(np.asarray(image))
    if image.mode == "1":
        return np.asarray(image.convert("L"))
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return np.asarray(image)
    if image.mode in ("LA", "La"):
        return _over_white(image, "LA", "L")
    if image.mode in ("RGBA", "RGBa", "PA") or "transparency" in image.info:
        return _over_white(image, "RGBA", "RGB")
    return np.asarray(image.convert("RGB"))


def _over_white(image: Image.Image, clear: str, solid: str) -> Pixels:
    """``image`` seen as mode ``clear``, which ends in A, on white paper of mode ``solid``."""
    pixels = np.empty((image.height, image.width, *((3,) if solid == "RGB" else ())), np.uint8)
    for row in range(0, image.height, _ROWS):
        part = image.crop((0, row, image.width, min(row + _ROWS, image.height))).convert(clear)
        ground = Image.new(solid, part.size, "white")
        ground.paste(part.convert(solid), mask=part.getchannel("A"))
        pixels[row : row + _ROWS] = np.asarray(ground)
    return pixels


def on_white(pixels: Pixels, hit: NDArray[np.bool_]) -> Pixels:
    """White wherever ``hit`` (height, width)."""
    pixels = pixels.copy()
    pixels[hit] = 255
    return pixels


def widened(values: NDArray[Any], top: float, low: float = 0) -> Pixels:
    """``low`` to ``top`` as 0 to 255, rounded; values that are no numbers are black."""
    pixels = np.empty(values.shape, np.uint8)
    for row in range(0, len(values), _ROWS):
        part = (values[row : row + _ROWS].astype(np.float64) - low) * (255 / (top - low))
        pixels[row : row + _ROWS] = np.clip(np.nan_to_num(part, posinf=255, neginf=0) + 0.5, 0, 255)
    return pixels


def spread(values: NDArray[Any]) -> Pixels:
    """Pixels of floats or wide integers.

    White is 1 (floats), 255 or 65535, the least that no value is beyond; with values beyond these, or below 0, the
    lowest is black and the highest white.
    """
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    for top in (1, 255, 65535) if values.dtype.kind == "f" else (255, 65535):
        if low >= 0 and high <= top:
            return widened(values, top)
    return widened(values, high, low) if high > low else np.zeros(values.shape, np.uint8)
