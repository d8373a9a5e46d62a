"""What an upload holds: itself, or the files in the gzip or zip archive that it is. Streaming, in constant memory."""

from __future__ import annotations

import contextlib
import gzip
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from conf.errors import StorageError
from conf.settings import Landing as Limits
from targets.archive.kinds import HEAD, archive_kind
from targets.archive.zip_directory import check_directory
from targets.names import printable
from targets.refusal import refusal

_PIECE = 1 << 20
_RATIO_FROM = 16 << 20
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # APPNOTE.TXT 4.4.4: bit 0, strong encryption, masked headers
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class Entry:
    """One file in an upload.

    Attributes:
        ordinal: counts them from 0, in the order of the archive's directory.
        name: what the archive calls it, as printable text, never as a path; None for a plain file and for gzip.
    """

    ordinal: int
    name: str | None


class Stream(Protocol):
    """The bytes of one entry."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes (``size`` > 0); none only at the end."""


def entries(file: BinaryIO, limits: Limits) -> Iterator[tuple[Entry, Stream]]:
    """The files in an upload, each with its bytes. A stream is good until the next one is asked for.

    Args:
        file: seekable, on this machine, positioned anywhere.
        limits: how much an archive may unpack to.

    Raises:
        UploadRefused: from here or from a stream's ``read``, when the archive is damaged, encrypted, nested, of a kind
            that is not taken, or passes the limits. What a stream gave before is not to be trusted then.
        StorageError: the file cannot be read.
    """
    kind = _kind(file)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    budget = _Budget(size, limits)
    if kind is None:
        yield Entry(0, None), file
    elif kind == "gzip":
        with gzip.GzipFile(fileobj=file) as unpacked:
            yield from _drained(Entry(0, None), _Unpacked(unpacked, budget, 0))
    elif kind == "zip":
        yield from _zip_entries(file, limits, budget)
    else:
        raise refusal("upload.archive_format", value=f"This is a {kind} archive, which")


def is_archive(file: BinaryIO) -> bool:
    """Whether a file is packed in any way, by how it begins."""
    return _kind(file) is not None


def check(file: BinaryIO, limits: Limits) -> None:
    """Unpacks an archive to nowhere, so that whatever is wrong with it shows; a plain file is not read.

    Raises:
        UploadRefused: as ``entries``, and when nothing is in the archive.
    """
    if _kind(file) is None:
        return
    if not sum(len(piece) for _, stream in entries(file, limits) for piece in _pieces(stream)):
        raise refusal("upload.empty")


class _Budget:
    """What an upload may still unpack to."""

    def __init__(self, packed: int, limits: Limits) -> None:
        self._packed = packed
        self._limits = limits
        self._unpacked = 0

    def spend(self, size: int) -> None:
        self._unpacked += size
        most = self._limits.max_unpacked_bytes
        if self._unpacked > most:
            raise refusal("upload.archive_bomb", limit=f"{most} bytes")
        # A few lines that repeat pack far better than that; only what can do harm is measured by its ratio.
        if self._unpacked > max(_RATIO_FROM, self._packed * self._limits.max_ratio):
            raise refusal("upload.archive_bomb", limit=f"{self._limits.max_ratio} times its own size")


class _Unpacked:
    """One entry, unpacked while it is read, within the budget."""

    def __init__(self, source: Stream, budget: _Budget, ordinal: int) -> None:
        self._source = source
        self._budget = budget
        self._head = b""
        while len(self._head) < HEAD and (piece := self._next(HEAD - len(self._head))):
            self._head += piece
        if archive_kind(self._head):
            raise refusal("upload.archive_nested", entry=ordinal)

    def read(self, size: int, /) -> bytes:
        if self._head:
            head, self._head = self._head[:size], self._head[size:]
            return head
        return self._next(min(size, _PIECE))

    def _next(self, size: int) -> bytes:
        with _damage():
            piece = self._source.read(size)
        self._budget.spend(len(piece))
        return piece


def _zip_entries(file: BinaryIO, limits: Limits, budget: _Budget) -> Iterator[tuple[Entry, Stream]]:
    directory_at = check_directory(file, limits)
    with _damage():
        archive = zipfile.ZipFile(file)
    with archive:
        files = [info for info in archive.infolist() if info.file_size or not info.is_dir()]
        for ordinal, info in enumerate(files):
            _check_entry(info, ordinal, directory_at)
            with _damage():
                source = archive.open(info)
            with source:
                yield from _drained(Entry(ordinal, printable(info.filename)), _Unpacked(source, budget, ordinal))


def _check_entry(info: zipfile.ZipInfo, ordinal: int, directory_at: int) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise refusal("upload.archive_encrypted")
    # The library unpacks other methods without a bound on memory.
    if info.compress_type not in _METHODS:
        value = f"Entry {ordinal} is packed by method {info.compress_type}, which"
        raise refusal("upload.archive_format", value=value)
    if info.header_offset >= directory_at:
        raise refusal("upload.archive_damaged", reason=f"entry {ordinal} is not where it is said to be")


def _drained(entry: Entry, stream: _Unpacked) -> Iterator[tuple[Entry, Stream]]:
    """The entry; then the rest that its reader left, because a checksum stands at the end."""
    yield entry, stream
    for _ in _pieces(stream):
        continue


def _pieces(stream: Stream) -> Iterator[bytes]:
    while piece := stream.read(_PIECE):
        yield piece


def _kind(file: BinaryIO) -> str | None:
    file.seek(0)
    return archive_kind(file.read(HEAD))


@contextlib.contextmanager
def _damage() -> Iterator[None]:
    """Turns what the libraries raise over bytes that are no sound archive into a refusal."""
    try:
        yield
    except (EOFError, struct.error) as error:
        raise refusal("upload.archive_damaged", reason="it ends too early") from error
    except (gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise refusal("upload.archive_damaged", reason=printable(str(error))[:200].rstrip(".")) from error
    except (zlib.error, ValueError, NotImplementedError, OverflowError) as error:
        raise refusal("upload.archive_damaged", reason="its bytes are not sound") from error
    except OSError as error:
        raise StorageError(
            f"An archive cannot be read: {error.strerror}.", "See to the disk and run again; nothing is lost."
        ) from error
