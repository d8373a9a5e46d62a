"""A look at a zip's directory before the library reads it whole into memory (APPNOTE.TXT 4.3.12 to 4.3.16).

Stricter than the library, so that both see the same directory: nothing before the archive, nothing after it.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO, NamedTuple

from conf.settings import Landing as Limits
from targets.refusal import refusal

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_HEADER = struct.Struct("<4s24x3H12x")
_LONGEST_COMMENT = 0xFFFF
_BYTES_AN_ENTRY = 4096


class _Directory(NamedTuple):
    """Where the directory lies (offsets), and how many entries it is said to have."""

    start: int
    end: int
    entries: int


def check_directory(file: BinaryIO, limits: Limits) -> int:
    """Checks a zip's directory in constant memory, whatever it claims of itself.

    Returns:
        Where the directory begins; every entry lies before.

    Raises:
        UploadRefused: more entries than allowed, or a directory that is not sound.
    """
    directory = _find(file)
    if directory.entries > limits.max_entries:
        raise refusal("upload.archive_entries", limit=limits.max_entries)
    length = directory.end - directory.start
    if length > limits.max_entries * _BYTES_AN_ENTRY:
        raise refusal("upload.archive_damaged", reason=f"its directory has {length} bytes")
    position = directory.start
    counted = 0
    while position < directory.end:
        name, extra, comment = _lengths(_read(file, position, _HEADER.size))
        position += _HEADER.size + name + extra + comment
        counted += 1
        if counted > limits.max_entries:
            raise refusal("upload.archive_entries", limit=limits.max_entries)
    if position != directory.end or counted != directory.entries:
        raise refusal("upload.archive_damaged", reason="its directory does not add up")
    return directory.start


def _find(file: BinaryIO) -> _Directory:
    size = file.seek(0, os.SEEK_END)
    tail_at = max(0, size - _END.size - _LONGEST_COMMENT)
    tail = _read(file, tail_at, size - tail_at)
    # As the library looks for it: at the very end, else the last place that looks like it.
    at = len(tail) - _END.size
    if not (tail[at : at + 4] == b"PK\x05\x06" and tail.endswith(b"\0\0")):
        at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        raise refusal("upload.archive_damaged", reason="it has no directory; it may have been cut off")
    _, disk, start_disk, count_here, count, length, offset, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != len(tail):
        raise refusal("upload.archive_damaged", reason="bytes follow its end")
    end = tail_at + at
    wide = _find64(file, end)
    if wide:
        end, disk, start_disk, count_here, count, length, offset = wide
    if disk or start_disk or count_here != count:
        raise refusal("upload.archive_damaged", reason="it is one part of several")
    if offset + length != end:
        raise refusal("upload.archive_damaged", reason="its directory is not where it is said to be")
    return _Directory(offset, end, count)


def _find64(file: BinaryIO, end: int) -> tuple[int, ...] | None:
    """Of a zip64: where its end record lies, then disk, start disk, entries here, entries, bytes, offset."""
    locator_at = end - _LOCATOR64.size
    if locator_at < _END64.size:
        return None
    signature, disk, at, disks = _LOCATOR64.unpack(_read(file, locator_at, _LOCATOR64.size))
    if signature != b"PK\x06\x07":
        return None
    if disk or disks > 1 or at != locator_at - _END64.size:
        raise refusal("upload.archive_damaged", reason="its zip64 record is not where it is said to be")
    signature, length, _, _, *fields = _END64.unpack(_read(file, at, _END64.size))
    if signature != b"PK\x06\x06" or length != _END64.size - 12:
        raise refusal("upload.archive_damaged", reason="its zip64 record is not sound")
    return at, *fields


def _lengths(header: bytes) -> tuple[int, int, int]:
    signature, name, extra, comment = _HEADER.unpack(header)
    if signature != b"PK\x01\x02":
        raise refusal("upload.archive_damaged", reason="its directory is not sound")
    return name, extra, comment


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    found = file.read(size)
    if len(found) < size:
        raise refusal("upload.archive_damaged", reason="its directory is cut off")
    return found
