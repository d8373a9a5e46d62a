"""GIF, WebP and BMP walked from end to end: Pillow takes files that break off, and makes room before it can be asked.

Source: the GIF89a specification (https://www.w3.org/Graphics/GIF/spec-gif89a.txt), RFC 9649 (WebP).
"""

from __future__ import annotations

import struct

from spark_jobs.images.fault import check_pixels, corrupt, truncated

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B


def check_gif(content: bytes, max_pixels: int) -> None:
    """Every block up to the trailer; the first frame must lie within the screen."""
    if len(content) < 13:
        raise truncated("it ends in its header")
    width, height, flags = struct.unpack_from("<HHB", content, 6)
    check_pixels(width, height, max_pixels)
    at, frames = 13 + _table(flags), 0
    while at < len(content) and content[at] != _TRAILER:
        if content[at] == _EXTENSION:
            at = _blocks(content, at + 2)
        elif content[at] == _IMAGE:
            if len(content) < at + 10:
                raise truncated("it ends in the header of a frame")
            frames += 1
            left, top, wide, high, flags = struct.unpack_from("<HHHHB", content, at + 1)
            if frames == 1 and (left + wide > width or top + high > height):
                raise corrupt("its first frame lies beyond its screen")
            at = _blocks(content, at + 11 + _table(flags))
        else:
            raise corrupt(f"byte {at} begins no block")
    if at >= len(content):
        raise truncated("its end is missing")
    if not frames:
        raise corrupt("it has no frame")


def _table(flags: int) -> int:
    """Bytes of a colour table."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks(content: bytes, at: int) -> int:
    """Where the sub-blocks that begin here end."""
    while at < len(content) and content[at]:
        at += 1 + content[at]
    return at + 1


def check_webp(content: bytes, max_pixels: int) -> None:
    """The length that RIFF claims, and the canvas: libwebp makes room for an animation's when it is opened."""
    if len(content) < 30:
        raise truncated("it ends in its header")
    match content[12:16]:
        case b"VP8X":
            width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
        case b"VP8 ":
            width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", content, 26))
        case b"VP8L":
            (size,) = struct.unpack_from("<I", content, 21)
            width, height = (size & 0x3FFF) + 1, (size >> 14 & 0x3FFF) + 1
        case _:
            raise corrupt("it does not begin with a picture's chunk")
    check_pixels(width, height, max_pixels)
    if len(content) < 8 + int.from_bytes(content[4:8], "little"):
        raise truncated("its end is missing")


def check_bmp(content: bytes, max_pixels: int) -> None:
    """The size, and that there are bytes for it where they lie plain."""
    try:
        if content[14] == 12:
            width, height, _, bits = struct.unpack_from("<HHHH", content, 18)
            compression = 0
        else:
            width, height, _, bits, compression = struct.unpack_from("<iiHHI", content, 18)
    except struct.error:
        raise truncated("it ends in its header") from None
    check_pixels(width, abs(height), max_pixels)
    start = int.from_bytes(content[10:14], "little")
    if compression in (0, 3) and len(content) < start + (width * bits + 31) // 32 * 4 * abs(height):
        raise truncated("its last rows are missing")
