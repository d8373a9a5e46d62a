"""JPEG, strictly: Pillow passes a scan with flipped bits without a word, libjpeg-turbo's warnings tell of it.

JPEG has no checksum, so a change that leaves other valid codes of the same length is found by nobody: of single bits
flipped in a scan one in three to six is told, of sixteen nearly all.

Source: ITU-T T.81 annex B (markers and segments); APP1 as of EXIF 2.32 4.5.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import simplejpeg
from PIL import Image

from spark_jobs.images.directory import orientation, upright
from spark_jobs.images.fault import ImageFault, check_pixels, corrupt, truncated
from spark_jobs.images.picture import Picture, Pixels

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF; the others are tables
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers with no segment
_SCAN, _END, _APP1 = 0xDA, 0xD9, 0xE1
# 4:4:4, 4:2:2, 4:2:0, 4:4:0, 4:1:1, 4:4:1, and gray and CMYK of equal parts
_SAMPLINGS = {bytes((luma, 0x11, 0x11)) for luma in (0x11, 0x21, 0x22, 0x12, 0x41, 0x14)} | {b"\x11", b"\x11" * 4}
_PROCESSES = {0xC0: "", 0xC1: "", 0xC2: "progressive"}
# A marker after a scan's coded data: not a stuffed byte, a restart or a fill
_NEXT = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
# Encoders write about ten. Each costs a pass over all pixels, however few bytes it has.
_MAX_SCANS = 100


class _Header(NamedTuple):
    """What stands before the first scan."""

    process: int
    bits: int
    width: int
    height: int
    components: int
    sampling: bytes  # of each component: how many across and down, four bits each
    orientation: int
    scan: int  # where the scan's segment begins


def decode(content: bytes, *, max_pixels: int, gray: bool) -> Picture:
    """The picture of a JPEG file; bytes after its end are passed over.

    Args:
        content: begins with SOI.
        max_pixels: image.too_many_pixels above it, before anything is decoded.
        gray: luma alone, without the detour over RGB.
    """
    header = _header(content)
    check_pixels(header.width, header.height, max_pixels)
    if header.process not in _PROCESSES or header.bits != 8:
        raise ImageFault("image.format", f"JPEG of {header.bits} bits, process {header.process - 0xC0},")
    if header.process == 0xC2:
        _check_scans(content, header.scan)
    space = {1: "GRAY", 3: "GRAY" if gray else "RGB", 4: "CMYK"}.get(header.components)
    if space is None:
        raise ImageFault("image.format", f"JPEG of {header.components} channels")
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(content, colorspace=space, strict=True)
    except ValueError as error:
        raise _fault(content, header, str(error)) from None
    if space == "CMYK":
        pixels = _from_cmyk(pixels)
    elif space == "GRAY":
        pixels = pixels[:, :, 0]
    return Picture(upright(pixels, header.orientation), "JPEG")


def _header(content: bytes) -> _Header:
    at, frame, turned = 2, None, 1
    while True:
        at, marker, segment = _segment(content, at)
        if marker in _FRAMES and frame is None:
            if len(segment) < 6:
                raise corrupt("its frame header is too short")
            height, width = int.from_bytes(segment[1:3]), int.from_bytes(segment[3:5])
            frame = (marker, segment[0], width, height, segment[5], segment[7::3])
        elif marker == _APP1 and segment.startswith(b"Exif\0\0"):
            turned = orientation(segment)
        elif marker == _END:
            raise corrupt("it ends before its first scan")
        elif marker == _SCAN:
            if frame is None:
                raise corrupt("its scan comes before its frame header")
            return _Header(*frame, turned, at - len(segment) - 4)


def _segment(content: bytes, at: int) -> tuple[int, int, bytes]:
    """Where the next begins, the marker and its segment without its length."""
    if at >= len(content):
        raise truncated("it ends in its header")
    if content[at] != 0xFF:
        raise corrupt(f"byte {at} is no marker")
    while content[at : at + 1] == b"\xff":
        at += 1
    if at >= len(content):
        raise truncated("it ends in its header")
    marker = content[at]
    if marker in _ALONE or marker == _END:
        return at + 1, marker, b""
    length = int.from_bytes(content[at + 1 : at + 3])
    end = at + 1 + length
    if len(content) < max(at + 3, end):
        raise truncated("it ends in its header")
    if length < 2:
        raise corrupt(f"the segment at byte {at} is too short")
    return end, marker, content[at + 3 : end]


def _markers(content: bytes, at: int) -> Iterator[int]:
    """Those from the first scan on, the end's included if it is there."""
    while found := _NEXT.search(content, at):
        marker = content[found.end() - 1]
        yield marker
        if marker == _END:
            return
        at = found.end() + int.from_bytes(content[found.end() : found.end() + 2])


def _check_scans(content: bytes, at: int) -> None:
    scans = 0
    for marker in _markers(content, at):
        scans += marker == _SCAN
        if scans > _MAX_SCANS:
            raise corrupt(f"it has more than {_MAX_SCANS} scans")


def _fault(content: bytes, header: _Header, reason: str) -> ImageFault:
    """What a decoder's complaint comes to: with no end of the picture in the file, it breaks off."""
    if "subsampling" in reason and header.sampling not in _SAMPLINGS:
        return ImageFault("image.format", "JPEG with uncommon subsampling")
    if _END not in _markers(content, header.scan):
        return truncated("its end is missing")
    return corrupt(f"its scan does not decode ({reason.removeprefix('Corrupt JPEG data: ').rstrip('.')})")


def _from_cmyk(pixels: Pixels) -> Pixels:
    """RGB from ink as Adobe's programs store it, inverted; libjpeg-turbo has made YCCK CMYK already."""
    height, width, _ = pixels.shape
    image = Image.frombuffer("CMYK", (width, height), pixels.tobytes(), "raw", "CMYK;I", 0, 1)
    return np.asarray(image.convert("RGB"))
