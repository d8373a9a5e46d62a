"""TIFF directories, read just far enough: for EXIF's orientation, and to refuse absurd ones before a decoder sees them.

Source: TIFF 6.0 part 1 (https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf), the BigTIFF proposal, and
EXIF 2.32 4.6.4 for the orientation.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from spark_jobs.images.fault import corrupt, truncated
from spark_jobs.images.picture import Pixels

_ORIENTATION = 0x0112
_TILE_SIDES = (0x0142, 0x0143)
_LARGEST_TILE = 4096**2  # pixels that a tile may have however small the limit is
# Bytes of one value, by the field's type
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_WHOLE = {3: "H", 4: "I", 16: "Q"}


class Field(NamedTuple):
    """One entry of a directory; ``inline`` are the bytes that hold its values, or say where they lie."""

    tag: int
    kind: int
    values: int
    inline: bytes


def orientation(exif: bytes) -> int:
    """1 to 8 as EXIF says; 1 when it says nothing or cannot be read: a picture is not refused for what is beside it."""
    exif = exif.removeprefix(b"Exif\0\0")
    try:
        order = _order(exif)
        for field in _fields(exif):
            if field.tag == _ORIENTATION and field.kind == 3:
                found = int(struct.unpack_from(order + "H", field.inline)[0])
                return found if 1 <= found <= 8 else 1
    except struct.error:
        return 1
    return 1


def check(content: bytes, max_pixels: int) -> None:
    """``image.truncated`` or ``image.corrupt`` for a first directory whose values cannot all lie in the file.

    Tags may share bytes, so that a small file would become a vast one when each is read into a copy of its own. And a
    tile may be far larger than the picture: libtiff makes room for a whole one.
    """
    try:
        total, tile = 0, dict.fromkeys(_TILE_SIDES, 1)
        for field in _fields(content):
            total += _SIZES.get(field.kind, 1) * field.values
            if total > len(content):
                raise corrupt("its directory says more than the file holds")
            if field.tag in tile:
                tile[field.tag] = max(tile[field.tag], _whole(field, _order(content)))
        if math.prod(tile.values()) > max(max_pixels, _LARGEST_TILE):
            raise corrupt(f"its tiles have {'x'.join(map(str, tile.values()))} pixels")
    except struct.error:
        raise truncated("its directory is not there") from None


def upright(pixels: Pixels, turned: int) -> Pixels:
    """Pixels stored with an orientation (1 to 8), as they are to be seen."""
    match turned:
        case 2:
            pixels = pixels[:, ::-1]
        case 3:
            pixels = pixels[::-1, ::-1]
        case 4:
            pixels = pixels[::-1]
        case 5:
            pixels = pixels.swapaxes(0, 1)
        case 6:
            pixels = np.rot90(pixels, -1)
        case 7:
            pixels = pixels[::-1, ::-1].swapaxes(0, 1)
        case 8:
            pixels = np.rot90(pixels)
    return np.ascontiguousarray(pixels)


def _order(content: bytes) -> str:
    return ">" if content.startswith(b"MM") else "<"


def _whole(field: Field, order: str) -> int:
    """The field's one value, a whole number."""
    if field.kind not in _WHOLE or field.values != 1:
        raise corrupt(f"its tag {field.tag} is no whole number")
    return int(struct.unpack_from(order + _WHOLE[field.kind], field.inline)[0])


def _fields(content: bytes) -> Iterator[Field]:
    """The first directory's; struct.error when it breaks off."""
    order = _order(content)
    if struct.unpack_from(order + "H", content, 2)[0] == 43:
        first, counter, entry = struct.unpack_from(order + "Q", content, 8)[0], "Q", "HHQ8s"
    else:
        first, counter, entry = struct.unpack_from(order + "I", content, 4)[0], "H", "HHI4s"
    if first > len(content):
        raise struct.error
    (count,) = struct.unpack_from(order + counter, content, first)
    start, step = first + struct.calcsize(order + counter), struct.calcsize(order + entry)
    for number in range(count):
        yield Field(*struct.unpack_from(order + entry, content, start + number * step))
