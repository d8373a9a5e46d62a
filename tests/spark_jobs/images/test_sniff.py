from __future__ import annotations

import pytest

from spark_jobs.images.fault import ImageFault
from spark_jobs.images.sniff import sniff
from tests.spark_jobs.images.files import VIEW, sample, saved


@pytest.mark.parametrize(
    ("kind", "name"),
    [("jpg", "JPEG"), ("png", "PNG"), ("webp", "WebP"), ("gif", "GIF"), ("tiff", "TIFF"), ("bmp", "BMP")],
)
def test_takes(kind: str, name: str) -> None:
    assert sniff(sample(kind)) == name


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (sample("ico"), "ICO"),
        (saved(VIEW, "AVIF"), "AVIF"),
        (saved(VIEW, "JPEG2000"), "JPEG 2000"),
        (saved(VIEW, "PPM"), "Netpbm"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"8BPS\0\1" + bytes(20), "PSD"),
        (b"%PDF-1.7\n%", "PDF"),
        (b'<?xml version="1.0"?>\n<!-- drawn --><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\xef\xbb\xbf  <svg>", "SVG"),
        (b'<!DOCTYPE svg PUBLIC "-//W3C" "svg11.dtd" [<!ENTITY a "b">]>\n<svg:svg xmlns:svg="x">', "SVG"),
    ],
)
def test_names_what_is_not_taken(content: bytes, name: str) -> None:
    with pytest.raises(ImageFault) as caught:
        sniff(content)
    assert (caught.value.rule, caught.value.value) == ("image.format", name)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"<!DOCTYPE html><html><body>Please log in", "<!DOCTYPE html><html><body>Please log in"),
        (b"<html><body><svg width='1'></svg>", "<html><body><svg width='1'></svg>"),
        (b"<!-- a -->" * 400 + b"<html>", "<!-- a --><!-- a --><!-- a --><!-- a -->"),
        (b'{"error":\n  "gone"}', '{"error": "gone"}'),
        ("Zugriff verweigert: schöne Grüße".encode(), "Zugriff verweigert: schöne Grüße"),
        (b"x" * 5000, "x" * 40),
        (b"\x01\x02\xfe\xff\0\0\0\0\0", "01 02 fe ff 00 00 00 00"),
        (b"\x1b[2Jgone", "1b 5b 32 4a 67 6f 6e 65"),
        ("\u202egone".encode(), "e2 80 ae 67 6f 6e 65"),
        (b"   \n", "20 20 20 0a"),
        (b"BMW is no bitmap", "BMW is no bitmap"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "00 00 00 18 66 74 79 70"),
    ],
)
def test_shows_how_anything_else_begins(content: bytes, shown: str) -> None:
    with pytest.raises(ImageFault) as caught:
        sniff(content)
    assert (caught.value.rule, caught.value.value) == ("image.not_an_image", shown)
    assert shown in caught.value.message


def test_tells_nothing_from_too_little() -> None:
    found = {}
    for content in (b"", b"\xff\xd8", b"\x89PNG"):
        with pytest.raises(ImageFault) as caught:
            sniff(content)
        found[content] = caught.value.rule
    assert found == {b"": "image.empty", b"\xff\xd8": "image.truncated", b"\x89PNG": "image.truncated"}
