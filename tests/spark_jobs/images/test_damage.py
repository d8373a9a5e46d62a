"""Files that are no sound picture, each told apart; none of them raises."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from conf.rules import RULES
from landfall.sample_web import damage
from spark_jobs.images import containers
from spark_jobs.images.decode import decode
from spark_jobs.images.fault import ImageFault
from tests.spark_jobs.images.files import VIEW, chunk, made, png, sample, saved, tiff

FORMS = ["jpg", "png", "webp", "gif", "tiff", "bmp", "cmyk", "png16", "alpha", "palette", "exif"]
FILES = {
    **{kind: sample(kind) for kind in FORMS},
    "progressive": saved(VIEW, "JPEG", progressive=True),
    "animated": saved(VIEW, "WEBP", save_all=True, append_images=[VIEW.rotate(180)]),
    "lossless": saved(VIEW, "WEBP", lossless=True),
    "lzw": saved(VIEW, "TIFF", compression="tiff_lzw"),
    "deflate": saved(VIEW, "TIFF", compression="tiff_deflate"),
    "fax": saved(VIEW.convert("1"), "TIFF", compression="group4"),
    "run-length": saved(VIEW, "TIFF", compression="packbits"),
}
ANY = st.sampled_from(sorted(FILES)).map(FILES.__getitem__)


def rule(content: bytes, limit: int = 100_000) -> str:
    """``ok`` or a rule's code; limited so that a changed header costs no time."""
    try:
        decode(content, max_pixels=limit)
    except ImageFault as fault:
        return fault.rule if fault.message.isprintable() else f"unprintable {fault.message!r}"
    return "ok"


@pytest.mark.parametrize("kind", FILES)
def test_whole_files_are_ok_with_or_without_bytes_after_their_end(kind: str) -> None:
    assert rule(FILES[kind]) == "ok"
    assert rule(FILES[kind] + b"\0\r\n<!-- served in 3 ms -->") == "ok"


@pytest.mark.parametrize("kind", FILES)
def test_two_thirds_of_a_file_break_off(kind: str) -> None:
    assert rule(FILES[kind][: len(FILES[kind]) * 2 // 3]) == "image.truncated"


@settings(max_examples=150)
@given(st.sampled_from([FILES[kind] for kind in ("jpg", "png", "progressive", "cmyk", "gif", "palette")]), st.data())
def test_no_beginning_of_a_file_is_ok(content: bytes, data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(content) - 1))
    assert rule(content[:end]) in ("image.truncated", "image.empty" if end == 0 else "image.not_an_image")


@pytest.mark.parametrize("kind", ["jpg", "png", "progressive", "gif", "cmyk"])
def test_a_file_without_its_last_byte_breaks_off(kind: str) -> None:
    assert rule(FILES[kind][:-1]) == "image.truncated"


@settings(max_examples=200)
@given(ANY, st.randoms(use_true_random=False), st.integers(1, 12))
def test_nothing_raises_for_changed_bytes(content: bytes, chance: random.Random, changes: int) -> None:
    changed = bytearray(content)
    for _ in range(changes):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    assert rule(bytes(changed)) in RULES


@given(st.sampled_from([FILES[kind][:16] for kind in FORMS] + [b""]), st.binary(max_size=300))
def test_nothing_raises_for_random_bytes(head: bytes, content: bytes) -> None:
    assert rule(head + content) in RULES


@pytest.mark.parametrize("width", [120, 640])
@pytest.mark.parametrize("gray", [False, True])
def test_bytes_flipped_in_mid_scan_that_pillow_passes_are_found(width: int, gray: bool) -> None:
    content = damage.flipped(sample("jpg", width, width * 3 // 4))
    with pytest.raises(ImageFault) as caught:
        decode(content, max_pixels=10**6, gray=gray)
    assert caught.value.rule == "image.corrupt"


@settings(max_examples=100)
@given(st.sampled_from(["png", "png16", "alpha", "palette"]), st.data())
def test_each_bit_flipped_in_a_png_is_found(kind: str, data: st.DataObject) -> None:
    content = bytearray(FILES[kind])
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert rule(bytes(content)) != "ok"


@pytest.mark.parametrize(
    "content",
    [
        damage.vast(),
        damage.vast()[:40],  # and breaks off
        FILES["bmp"][:18] + struct.pack("<ii", 20_000, -20_000) + FILES["bmp"][26:],
        FILES["gif"][:6] + b"\xff\xff\xff\xff" + FILES["gif"][10:],
        FILES["animated"][:24] + b"\xff\x3f\0\xff\x3f\0" + FILES["animated"][30:],
        tiff((256, 4, 1, 20_000), (257, 4, 1, 20_000), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 1)),
    ],
)
def test_too_many_pixels_are_told_by_the_header_before_anything_else(content: bytes) -> None:
    found = made(content, (300, 200))
    assert found.rule == "image.too_many_pixels"
    assert int(found.value or 0) >= 16_384**2
    assert "100000000 are allowed" in found.message


def test_a_jpeg_of_too_many_pixels_and_one_of_none() -> None:
    content, at = FILES["jpg"], FILES["jpg"].index(b"\xff\xc0") + 5
    assert rule(content[:at] + b"\xff\x00\xff\x00" + content[at + 4 :]) == "image.too_many_pixels"
    assert rule(content[:at] + bytes(4) + content[at + 4 :]) == "image.corrupt"


def test_tags_that_share_bytes_do_not_become_a_vast_file() -> None:
    tags = [(1000 + number, 1, 500_000, 0) for number in range(50_000)]
    found = made(tiff((256, 3, 1, 10), (257, 3, 1, 10), *tags))
    assert (found.rule, "directory" in found.message) == ("image.corrupt", True)


@pytest.mark.parametrize("kind", [3, 4, 1])
def test_a_tile_far_larger_than_its_picture_gets_no_room(kind: int) -> None:
    sides = [(tag, kind, 1, 32_768) for tag in (322, 323)]
    plain = [(258, 3, 1, 8), (259, 3, 1, 5), (262, 3, 1, 1), (277, 3, 1, 1)]
    found = made(
        tiff((256, 4, 1, 10), (257, 4, 1, 10), *plain, *sides, (324, 4, 1, 200), (325, 4, 1, 99), data=bytes(300))
    )
    assert found.rule == "image.corrupt"
    assert ("its tiles have 32768x32768 pixels" if kind != 1 else "tag 322") in found.message


def test_a_jpeg_of_a_thousand_scans_is_refused() -> None:
    content = FILES["progressive"]
    first = content.index(b"\xff\xda")
    scan = content[first : content.index(b"\xff", first + 12)]
    found = made(content[:first] + scan * 1000 + content[first:])
    assert (found.rule, "scans" in found.message) == ("image.corrupt", True)


@pytest.mark.parametrize(("process", "bits"), [(0xC0, 12), (0xC3, 8), (0xC9, 8)])
def test_uncommon_kinds_of_jpeg_are_named(process: int, bits: int) -> None:
    content = bytearray(FILES["jpg"])
    at = content.index(b"\xff\xc0")
    content[at + 1], content[at + 4] = process, bits
    assert rule(bytes(content)) == "image.format"


@pytest.mark.parametrize(("bits", "colour", "row"), [(8, 0, 21), (1, 0, 4), (16, 2, 121), (8, 6, 81)])
def test_a_png_with_too_few_rows_breaks_off(bits: int, colour: int, row: int) -> None:
    assert rule(png(20, 20, bits, colour, bytes(row * 20))) == "ok"
    # Pillow calls each of these sound
    assert rule(png(20, 20, bits, colour, bytes(row * 19))) == "image.truncated"
    assert rule(png(20, 20, bits, colour, bytes(row * 20 - 1))) == "image.truncated"
    assert rule(png(20, 20, bits, colour, b"")) == "image.truncated"


@pytest.mark.parametrize(("width", "height", "size"), [(1, 1, 2), (5, 5, 36), (8, 8, 79), (3, 17, 82)])
def test_an_interlaced_png_is_as_long_as_its_passes(width: int, height: int, size: int) -> None:
    def interlaced(rows: bytes) -> bytes:
        content = bytearray(png(width, height, 8, 0, rows))
        content[28] = 1
        content[29:33] = zlib.crc32(content[12:29]).to_bytes(4)
        return bytes(content)

    assert rule(interlaced(bytes(size))) == "ok"
    assert rule(interlaced(bytes(size - 1))) == "image.truncated"


def test_a_png_of_more_data_than_rows_is_taken_and_its_checksum_is_not() -> None:
    assert rule(png(20, 20, 8, 0, bytes(21 * 20 + 5_000_000))) == "ok"
    packed = zlib.compress(bytes(21 * 20))
    whole = png(20, 20, 8, 0, bytes(21 * 20))
    changed = whole.replace(chunk(b"IDAT", packed), chunk(b"IDAT", packed[:-4] + b"none"))
    assert rule(changed) == "image.corrupt"


def test_palettes_and_headers_come_once() -> None:
    rows, palette = bytes(21 * 20), chunk(b"PLTE", bytes(3))
    assert rule(png(20, 20, 8, 3, rows, palette)) == "ok"
    assert rule(png(20, 20, 8, 3, rows)) == "image.corrupt"
    assert rule(png(20, 20, 8, 3, rows, palette, palette)) == "image.corrupt"
    vast = chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0))
    assert rule(png(20, 20, 8, 0, rows, vast)) == "image.corrupt"


def test_a_colour_type_that_there_is_not() -> None:
    assert rule(png(20, 20, 8, 5, bytes(21 * 20))) == "image.corrupt"


def test_a_gif_that_claims_a_frame_beyond_its_screen() -> None:
    content = bytearray(FILES["gif"])
    content[6] -= 1
    assert rule(bytes(content)) == "image.corrupt"


def test_checksums_count_beside_the_pixels_too() -> None:
    content = png(2, 2, 8, 0, bytes(6), chunk(b"tEXt", b"Title\0Evening"))
    assert rule(content) == "ok"
    assert rule(content.replace(b"Evening", b"Morning")) == "image.corrupt"


def test_room_for_an_animation_is_not_made_before_its_size_is_known() -> None:
    content = FILES["animated"]
    with pytest.raises(ImageFault) as caught:
        containers.check_webp(content[:24] + b"\xff\x3f\0\xff\x3f\0" + content[30:], 10**8)
    assert caught.value.value == str(16_384**2)


def test_libtiff_complaints_count_and_stay_off_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    content = bytearray(FILES["fax"])
    content[-300] ^= 0xFF
    with Image.open(io.BytesIO(content)) as image:
        image.load()  # Pillow finds nothing wrong
    assert "Fax4Decode" in capfd.readouterr().err
    found = made(bytes(content))
    assert (found.rule, "Fax4Decode" in found.message) == ("image.corrupt", True)
    assert capfd.readouterr().err == ""
