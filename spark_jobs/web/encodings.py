"""Bodies that a source encodes although it was not asked to, decoded as they come, never beyond a bound.

libcurl could do it, but would hold what it has decoded while we wait for memory, a thousand times what came.
"""

from __future__ import annotations

import zlib

from spark_jobs.web.failure import Failure

_GZIP, _ZLIB, _RAW = 31, 15, -15  # window bits, as zlib takes them
_UNKNOWN = frozenset({"br", "zstd", "compress", "x-compress"})


def decoder(encoding: str, limit: int) -> Inflater | None:
    """What decodes a body.

    Args:
        encoding: as the head names it, in lower case; empty for none.
        limit: bytes of the decoded body.

    Returns:
        None for a body that is taken as it comes: plain, or named as no encoding is.

    Raises:
        Failure: for an encoding that there is, but that nobody asked for and that is not known here.
    """
    if encoding in _UNKNOWN:
        raise _garbled()
    return Inflater(encoding, limit) if encoding in ("gzip", "x-gzip", "deflate") else None


class Inflater:
    """A body in gzip, of one member or several, or deflate, with zlib's header or without."""

    def __init__(self, encoding: str, limit: int) -> None:
        self._deflate = encoding == "deflate"
        self._limit = self._left = limit
        self._begun = False
        self._stream = zlib.decompressobj(_ZLIB if self._deflate else _GZIP)

    def feed(self, data: bytes) -> bytes:
        """What the next bytes decode to; Failure where they do not, or beyond the limit."""
        if not self._begun and self._deflate and data[0] & 0xF != zlib.DEFLATED:
            self._stream = zlib.decompressobj(_RAW)
        self._begun = True
        pieces = []
        while data:
            if self._stream.eof:
                self._stream = zlib.decompressobj(_GZIP)
            try:
                # One byte more than may be: whoever has that has all that zlib kept, too.
                piece = self._stream.decompress(data, self._left + 1)
            except zlib.error:
                raise _garbled() from None
            self._left -= len(piece)
            if self._left < 0:
                raise Failure("fetch.too_large", limit=self._limit)
            pieces.append(piece)
            data = self._stream.unconsumed_tail or self._stream.unused_data
        return b"".join(pieces)

    def close(self) -> None:
        """Says that the body has ended; Failure if it should not have."""
        if self._begun and not self._stream.eof:
            raise _garbled()


def _garbled() -> Failure:
    return Failure("fetch.protocol", reason="the body is not encoded as its headers say")
