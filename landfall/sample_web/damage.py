"""Files that are no sound picture, made from sound ones."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import simplejpeg
from PIL import Image


def flipped(jpeg: bytes) -> bytes:
    """A JPEG with bytes changed in mid-scan that Pillow decodes without a word and a strict decoder refuses.

    The first place from the middle of the scan on where that holds is taken, so the same file is damaged alike.
    ValueError when there is none: a picture of a few pixels has too short a scan.
    """
    scan = jpeg.index(b"\xff\xda") + 14
    for at in (*range((scan + len(jpeg)) // 2, len(jpeg) - 4), *range(scan, (scan + len(jpeg)) // 2)):
        for mask in (0xFF, 0x55):
            changed = bytes(byte ^ mask for byte in jpeg[at : at + 2])
            damaged = jpeg[:at] + changed + jpeg[at + 2 :]
            if b"\xff" not in damaged[at - 1 : at + 3] and _passes_pillow(damaged) and not _is_strictly_sound(damaged):
                return damaged
    raise ValueError("no byte of this picture can be changed without notice")


def _passes_pillow(jpeg: bytes) -> bool:
    try:
        with warnings.catch_warnings(action="error"), Image.open(io.BytesIO(jpeg)) as image:
            image.load()
    except (OSError, SyntaxError, ValueError, Warning):
        return False
    return True


def _is_strictly_sound(jpeg: bytes) -> bool:
    try:
        simplejpeg.decode_jpeg(jpeg, colorspace="GRAY", strict=True)
    except ValueError:
        return False
    return True


def vast(side: int = 20_000) -> bytes:
    """A PNG of a few bytes whose header says ``side`` x ``side`` pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(side + 1))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
