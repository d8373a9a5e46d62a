"""Which format bytes are in, by their signature; names and content types are never asked."""

from __future__ import annotations

import re

from spark_jobs.images.fault import ImageFault, truncated

# https://www.w3.org/TR/png-3/#3PNGsignature, ITU-T T.81 B.1.1.3, TIFF 6.0 part 1, BigTIFF, GIF87a and GIF89a, RFC 9649
_TAKEN = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
)
_OTHERS = (
    (b"\0\0\1\0", "ICO"),
    (b"\0\0\2\0", "CUR"),
    (b"%PDF-", "PDF"),
    (b"%!PS", "PostScript"),
    (b"8BPS", "PSD"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"gimp xcf ", "XCF"),
    (b"qoif", "QOI"),
    (b"icns", "ICNS"),
    (b"DDS ", "DDS"),
    (b"SIMPLE  =", "FITS"),
    (b"#?RADIANCE", "HDR"),
    (b"v/1\x01", "OpenEXR"),
    (b"II\xbc\1", "JPEG XR"),
    (b"IIRO", "ORF"),
    (b"IIU\0", "RW2"),
    (b"FUJIFILMCCD-RAW", "RAF"),
    (b"\xd7\xcd\xc6\x9a", "WMF"),
    (b"\x8aMNG", "MNG"),
    (b"\x8bJNG", "JNG"),
)
# ISO/IEC 14496-12: four bytes of length, "ftyp", the major brand
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"), "HEIC"),
    b"crx ": "CR3",
}
# "BM" alone begins many a text: the size of the header that follows tells a bitmap
_BITMAP_HEADERS = {size.to_bytes(4, "little") for size in (12, 16, 40, 52, 56, 64, 108, 124)}
_NETPBM = re.compile(rb"P[1-7]\s+(?:#[^\n]*\n\s*)*[\dW]")
# Only what may stand before the root: a web page holds drawings too. Possessive, as a lazy comment could otherwise end
# in any of many places.
_SVG = re.compile(
    rb"(?:(?><\?.*?\?>|<!--.*?-->|<!DOCTYPE\s+svg[^\[>]*(?:\[[^\]]*\]\s*)?>)\s*)*+<(?:\w+:)?svg[\s>/]",
    re.IGNORECASE | re.DOTALL,
)
_SHOWN = 40  # characters


def sniff(content: bytes) -> str:
    """JPEG, PNG, WebP, GIF, TIFF or BMP.

    ImageFault: ``image.empty``, ``image.format`` for a picture in another format, ``image.truncated`` for no more than
    a part of a signature, ``image.not_an_image``.
    """
    if not content:
        raise ImageFault("image.empty")
    if name := _taken(content):
        return name
    if other := _other(content):
        raise ImageFault("image.format", other)
    if len(content) >= 2 and any(signature.startswith(content) for signature, _ in _TAKEN):
        raise truncated("it has no more than its first bytes")
    raise ImageFault("image.not_an_image", _beginning(content))


def _taken(content: bytes) -> str | None:
    for signature, name in _TAKEN:
        if content.startswith(signature):
            return name
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "WebP"
    is_bitmap = content.startswith(b"BM") and content[14:18] in _BITMAP_HEADERS
    return "BMP" if is_bitmap else None


def _other(content: bytes) -> str | None:
    for signature, name in _OTHERS:
        if content.startswith(signature):
            return name
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12])
    if _NETPBM.match(content):
        return "Netpbm"
    return "SVG" if _SVG.match(content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")) else None


def _beginning(content: bytes) -> str:
    """The first characters of a text, or the first bytes in hex."""
    head = content[: 4 * _SHOWN]
    text = " ".join(head.decode("utf-8", "replace").removeprefix("\ufeff").split())[:_SHOWN]
    odd = sum(not char.isprintable() or char == "\ufffd" for char in text)
    return text if text and not odd else head[:8].hex(" ")
