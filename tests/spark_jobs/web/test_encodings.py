"""Bodies that a source encodes although it was not asked to."""

from __future__ import annotations

import gzip
import zlib

import pytest

from spark_jobs.web.encodings import decoder
from spark_jobs.web.failure import Failure


def _decoded(encoding: str, body: bytes, limit: int, step: int) -> bytes:
    inflater = decoder(encoding, limit)
    assert inflater is not None
    pieces = [inflater.feed(body[at : at + step]) for at in range(0, len(body), step)]
    inflater.close()
    return b"".join(pieces)


def _raw(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


_BODY = bytes(range(256)) * 40
_ENCODED = {
    "gzip": gzip.compress(_BODY),
    "x-gzip": gzip.compress(_BODY[:5000]) + gzip.compress(_BODY[5000:]),
    "deflate": zlib.compress(_BODY),
    "deflate without a header": _raw(_BODY),
}


@pytest.mark.parametrize("step", [1, 7, 100_000])
@pytest.mark.parametrize("case", _ENCODED)
def test_a_body_is_decoded_however_it_comes(case: str, step: int) -> None:
    encoding, encoded = case.split()[0], _ENCODED[case]
    assert _decoded(encoding, encoded, len(_BODY), step) == _BODY
    with pytest.raises(Failure) as caught:
        _decoded(encoding, encoded, len(_BODY) - 1, step)
    assert caught.value.rule == "fetch.too_large"


@pytest.mark.parametrize("case", _ENCODED)
def test_a_body_that_breaks_off_or_goes_on_is_garbled(case: str) -> None:
    encoding, encoded = case.split()[0], _ENCODED[case]
    for body in (encoded[:-1], encoded + b"x", b"nothing of the sort"):
        with pytest.raises(Failure) as caught:
            _decoded(encoding, body, len(_BODY), 100)
        assert caught.value.rule == "fetch.protocol"


@pytest.mark.parametrize("encoding", ["", "identity", "utf-8", "gzip, gzip"])
def test_what_names_no_encoding_is_taken_as_it_comes(encoding: str) -> None:
    assert decoder(encoding, 10) is None


def test_no_body_is_none_in_any_encoding() -> None:
    assert _decoded("gzip", b"", 0, 1) == b""
