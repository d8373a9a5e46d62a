"""PNG: every chunk's checksum is verified, then only what makes the picture is handed on.

So no text, profile or animation, however far it unpacks, reaches a decoder. Source: https://www.w3.org/TR/png-3/
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import PngImagePlugin

from spark_jobs.images.directory import orientation, upright
from spark_jobs.images.fault import check_pixels, corrupt, truncated
from spark_jobs.images.picture import Picture, Pixels
from spark_jobs.images.pillow import flat, guarded, on_white, widened

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE, _GRAY, _RGB = 3, 0, 2  # colour types
_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
# Adam7's passes: the first column and row, and the steps to the next
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_STEP = 1 << 20  # bytes unpacked at a time


class _Chunk(NamedTuple):
    name: bytes
    start: int
    end: int


class _Header(NamedTuple):
    width: int
    height: int
    bits: int
    colour: int
    interlaced: int

    @property
    def unpacked(self) -> int:
        """Bytes of all rows, each with its filter's byte."""
        bits = self.bits * _CHANNELS[self.colour]
        passes = _PASSES if self.interlaced else ((0, 0, 1, 1),)
        sizes = [(-((x - self.width) // right), -((y - self.height) // down)) for x, y, right, down in passes]
        return sum(rows * (1 + (columns * bits + 7) // 8) for columns, rows in sizes if columns > 0)


def decode(content: bytes, *, max_pixels: int) -> Picture:
    """The picture of a PNG file (of an animation its default image); bytes after IEND are passed over.

    Args:
        content: begins with the signature.
        max_pixels: image.too_many_pixels above it, before anything is unpacked.
    """
    chunks = _chunks(content)
    header = _header(content, next(chunks))
    check_pixels(header.width, header.height, max_pixels)
    kept, transparent, turned = [content[8:33]], b"", 1
    rows, names = _Rows(header), {b"IHDR"}
    for chunk in chunks:
        if chunk.name in names and chunk.name in (b"IHDR", b"PLTE"):
            raise corrupt(f"it has two chunks {chunk.name.decode()}")
        names.add(chunk.name)
        if chunk.name == b"IDAT":
            rows.take(memoryview(content)[chunk.start + 8 : chunk.end - 4])
        if chunk.name == b"eXIf":
            turned = orientation(content[chunk.start + 8 : chunk.end - 4])
        elif chunk.name == b"tRNS" and header.colour != _PALETTE:
            transparent = content[chunk.start + 8 : chunk.end - 4]
        elif chunk.name in _CRITICAL or chunk.name == b"tRNS":
            kept.append(content[chunk.start : chunk.end])
    if header.colour == _PALETTE and b"PLTE" not in names:
        raise corrupt("its palette is missing")
    rows.check()
    pixels = _unpacked(b"".join((_SIGNATURE, *kept)), header, transparent)
    return Picture(upright(pixels, turned), "PNG")


def _chunks(content: bytes) -> Iterator[_Chunk]:
    """Each chunk after its checksum was compared; the last is IEND."""
    at, view = len(_SIGNATURE), memoryview(content)
    while True:
        if at + 12 > len(content):
            raise truncated("its end is missing")
        length, name = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if not name.isalpha():
            raise corrupt(f"byte {at} begins no chunk")
        if end > len(content):
            raise truncated(f"its chunk {name.decode()} is cut off")
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end]):
            raise corrupt(f"the checksum of its chunk {name.decode()} is wrong")
        if name[:1].isupper() and name not in _CRITICAL:
            raise corrupt(f"nobody knows its chunk {name.decode()}")
        yield _Chunk(name, at, end)
        if name == b"IEND":
            return
        at = end


def _header(content: bytes, chunk: _Chunk) -> _Header:
    if chunk.name != b"IHDR" or chunk.end - chunk.start != 25:
        raise corrupt("it does not begin with its header")
    width, height, bits, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", content, chunk.start + 8)
    if colour not in _CHANNELS:
        raise corrupt(f"its header says colour type {colour}")
    return _Header(width, height, bits, colour, interlaced)


class _Rows:
    """Counts the rows that the data unpack to: Pillow leaves those black that are not there."""

    def __init__(self, header: _Header) -> None:
        self._missing = header.unpacked
        self._unpacker = zlib.decompressobj()

    def take(self, data: memoryview) -> None:
        """The next of the data; what goes beyond the last row is passed over."""
        try:
            while data and self._missing >= 0 and not self._unpacker.eof:
                self._missing -= len(self._unpacker.decompress(data, _STEP))
                data = memoryview(self._unpacker.unconsumed_tail)
        except zlib.error as error:
            raise corrupt(f"its data do not unpack ({error})") from None

    def check(self) -> None:
        """``image.truncated`` when rows are missing."""
        if self._missing > 0:
            raise truncated("its last rows are missing")


def _unpacked(content: bytes, header: _Header, transparent: bytes) -> Pixels:
    with guarded(), PngImagePlugin.PngImageFile(io.BytesIO(content)) as image:
        image.load()
        if header.colour == _GRAY and header.bits == 16:
            values = np.asarray(image)
            return _cleared(widened(values, 65535), values, np.frombuffer(transparent, ">u2")[:1])
        pixels = flat(image)
    if header.colour not in (_GRAY, _RGB) or not transparent:
        return pixels
    # Pillow gives 16 bits by their high byte, and 1, 2 and 4 bits spread over 0 to 255
    key: NDArray[Any] = np.frombuffer(transparent, ">u2").astype(np.uint32)
    key = key >> 8 if header.bits == 16 else key * 255 // ((1 << header.bits) - 1)
    return _cleared(pixels, pixels, key[: 3 if pixels.ndim == 3 else 1])


def _cleared(pixels: Pixels, values: NDArray[Any], key: NDArray[Any]) -> Pixels:
    """The one colour that is declared transparent becomes white."""
    if len(key) != (3 if pixels.ndim == 3 else 1):
        return pixels
    hit = values == key
    return on_white(pixels, hit.all(axis=2) if pixels.ndim == 3 else hit)
