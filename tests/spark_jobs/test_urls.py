"""URLs: canonical, checked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.urls import Checked, Fault, UrlPolicy, check

SIZE = r"/(?P<width>\d+)/(?P<height>\d+)$"
POLICY = UrlPolicy(("picsum.photos", "127.0.0.1:8200", "*.example.org"), (80, 443), SIZE, 10_000)
ANYWHERE = UrlPolicy(("a.org",), (80, 443), None, 10_000)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://picsum.photos/300/200", "https://picsum.photos/300/200"),
        ("  https://picsum.photos/300/200\t", "https://picsum.photos/300/200"),
        ("HTTPS://PicSum.Photos:443/300/200#top", "https://picsum.photos/300/200"),
        ("http://picsum.photos:80/300/200?random=1", "http://picsum.photos/300/200?random=1"),
        ("https://picsum.photos/300/200?a=%20+&b=%2F", "https://picsum.photos/300/200?a=%20+&b=%2F"),
        ("http://127.0.0.1:8200/id/3/40/50", "http://127.0.0.1:8200/id/3/40/50"),
        ("http://deep.er.example.org/1/2", "http://deep.er.example.org/1/2"),
    ],
)
def test_canonical(text: str, url: str) -> None:
    checked = check(text, POLICY)
    assert isinstance(checked, Checked)
    assert checked.url == url


def test_what_is_known_of_a_url() -> None:
    assert check("http://127.0.0.1:8200/40/50", POLICY) == Checked(
        "http://127.0.0.1:8200/40/50", "127.0.0.1:8200", 40, 50
    )
    assert check("http://a.org/", ANYWHERE) == Checked("http://a.org/", "a.org", None, None)


@pytest.mark.parametrize(
    ("text", "rule", "value"),
    [
        ("", "url.malformed", ""),
        ("nothing", "url.malformed", "nothing"),
        ("//picsum.photos/1/2", "url.malformed", "//picsum.photos/1/2"),
        ("http://", "url.malformed", "http://"),
        ("http:///1/2", "url.malformed", "http:///1/2"),
        ("http://[::1/1/2", "url.malformed", None),
        ("http://picsum.photos:99999/1/2", "url.malformed", None),
        ("http://picsum.photos/1 0/2", "url.malformed", "http://picsum.photos/1 0/2"),
        ("http://picsum.photos\\@evil/1/2", "url.malformed", "http://…@evil/1/2"),
        ("http://picsum.photos/\x07/1/2", "url.malformed", "http://picsum.photos/\x07/1/2"),
        ("http://picsum.photos/\ud800/1/2", "url.malformed", "http://picsum.photos/?/1/2"),
        ("http://picsum.photos/" + "x" * 9000, "url.malformed", "http://picsum.photos/" + "x" * 179),
        ("ftp://picsum.photos/1/2", "url.scheme", "ftp"),
        ("javascript:alert(1)", "url.scheme", "javascript"),
        ("http://user:secret@picsum.photos/1/2", "url.credentials", "picsum.photos"),
        ("http://user@picsum.photos/1/2", "url.credentials", "picsum.photos"),
        ("http://picsum.photos/1/2?a=%zz", "url.malformed", "http://picsum.photos/1/2?a=%zz"),
        (f"http://user:secret{'x' * 300}@h/ 1", "url.malformed", "http://…@h/ 1"),
        ("user:secret@h/ 1", "url.malformed", "…@h/ 1"),
        ("http://user:secret/b@h/ 1", "url.malformed", "http://…@h/ 1"),
        ("http:user:secret@h/1", "url.malformed", "…@h/1"),
        ("http://evil.org/1/2", "url.host_not_allowed", "evil.org"),
        ("http://picsum.photos:8080/1/2", "url.host_not_allowed", "picsum.photos:8080"),
        ("http://127.0.0.1/1/2", "url.host_not_allowed", "127.0.0.1"),
        ("http://example.org/1/2", "url.host_not_allowed", "example.org"),
        ("http://picsum.photos/about", "url.no_size", "/about"),
        ("http://picsum.photos/٣/٤", "url.no_size", "/٣/٤"),
        ("http://picsum.photos/0/2", "url.size_out_of_range", "0x2"),
        ("http://picsum.photos/1/10001", "url.size_out_of_range", "1x10001"),
        ("http://picsum.photos/1/99999999999999999", "url.size_out_of_range", "1x999999999999"),
    ],
)
def test_faults(text: str, rule: str, value: str | None) -> None:
    found = check(text, POLICY)
    assert isinstance(found, Fault)
    assert (found.rule, found.value) == (rule, value)
    assert "secret" not in str(found)


@given(st.text(max_size=40), st.sampled_from(["", "http://a.org/", "https://A.org:443/?", "http://u:secret@a.org/"]))
def test_any_text_has_an_outcome_and_a_canonical_url_is_its_own(text: str, start: str) -> None:
    found = check(start + text, ANYWHERE)
    if isinstance(found, Checked):
        assert check(found.url, ANYWHERE) == found
        found.url.encode("ascii")
    else:
        assert "secret" not in str(found)
        (found.value or "").encode()
        found.message.encode()
