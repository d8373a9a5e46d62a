"""Files of pictures, made by hand or by Pillow."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from conf.settings import Images
from landfall.sample_web import pictures
from spark_jobs.images.make import Made, make

LIMITS = Images()
VIEW = pictures.paint(0, 3, 60, 40)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def sample(kind: str = "jpg", width: int = 60, height: int = 40, **more: Any) -> bytes:
    return pictures.encode(0, pictures.Picture(3, width, height, kind=kind, **more))


def made(content: bytes, asked: tuple[int | None, int | None] = (None, None), limits: Images = LIMITS) -> Made:
    """Made without any transform."""
    return make(content, asked, (), limits)


def opened(content: bytes | None) -> np.ndarray[Any, Any]:
    assert content is not None
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, bits: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    """``rows``: each with its filter's byte; ``extra``: chunks before the data."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(rows))
    return b"".join((b"\x89PNG\r\n\x1a\n", header, *extra, data, chunk(b"IEND", b"")))


def tiff(*fields: tuple[int, int, int, int], data: bytes = b"") -> bytes:
    """``fields``: tag, type, count, value; the data begin where the directory ends."""
    entries = b"".join(struct.pack("<HHII", *field) for field in fields)
    return b"II*\0" + struct.pack("<IH", 8, len(fields)) + entries + bytes(4) + data
