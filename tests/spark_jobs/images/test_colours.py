"""What a person expects to see of each way in which pixels may be stored."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from spark_jobs.images.decode import decode
from spark_jobs.images.picture import Pixels
from tests.spark_jobs.images.files import VIEW, chunk, png, sample, saved, tiff

LIMIT = 10_000
RAMP = np.linspace(0, 65535, 60 * 40).astype(np.uint16).reshape(40, 60)
SCALED = np.round(RAMP / 257).astype(np.uint8)


def pixels(content: bytes, gray: bool = False) -> Pixels:
    return decode(content, max_pixels=LIMIT, gray=gray).pixels


def close(one: object, other: object, by: int = 1) -> None:
    np.testing.assert_allclose(np.asarray(one, np.int16), np.asarray(other, np.int16), atol=by, rtol=0)


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(form: str) -> None:
    close(pixels(saved(Image.fromarray(RAMP), form)), SCALED, by=0)


def test_sixteen_bits_in_big_endian_tiff_and_with_white_at_0() -> None:
    data, fields = RAMP.astype("<u2").tobytes(), [(256, 3, 1, 60), (257, 3, 1, 40), (258, 3, 1, 16), (259, 3, 1, 1)]
    strips = [(273, 4, 1, 8 + 2 + 8 * 12 + 4), (277, 3, 1, 1), (279, 4, 1, len(data))]
    content = tiff(*fields, (262, 3, 1, 0), *strips, data=data)
    np.testing.assert_array_equal(pixels(content), 255 - SCALED)
    big = Image.fromarray(RAMP.astype(">u2"))
    np.testing.assert_array_equal(pixels(saved(big, "TIFF")), SCALED)


def test_sixteen_bits_of_colour() -> None:
    row = b"\0" + struct.pack(">6H", 0xFFFF, 0x8000, 0, 0x1234, 0xFEDC, 0x00FF)
    close(pixels(png(2, 1, 16, 2, row)), [[[255, 128, 0], [18, 254, 1]]])


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0])
def test_floats_of_the_usual_ranges(top: float) -> None:
    values = np.linspace(0, top, 2400, dtype=np.float32).reshape(40, 60)
    close(pixels(saved(Image.fromarray(values), "TIFF")), np.linspace(0, 255, 2400).reshape(40, 60))


def test_floats_of_any_range_are_spread_and_what_is_no_number_is_black() -> None:
    values = np.array([[-10.0, 0.0, 10.0, np.nan, np.inf]], np.float32)
    np.testing.assert_array_equal(pixels(saved(Image.fromarray(values), "TIFF")), [[0, 128, 255, 0, 255]])
    flat = np.full((2, 2), -7.0, np.float32)
    np.testing.assert_array_equal(pixels(saved(Image.fromarray(flat), "TIFF")), [[0, 0], [0, 0]])


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP", "GIF"])
def test_one_bit(form: str) -> None:
    image = VIEW.convert("1")
    expected = np.asarray(image.convert("L"))
    found = pixels(saved(image, form))
    np.testing.assert_array_equal(found if found.ndim == 2 else found[..., 0], expected)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP", "BMP"])
def test_plain_colour_is_kept(form: str) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    np.testing.assert_array_equal(pixels(saved(VIEW, form, **options)), np.asarray(VIEW))


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_alpha_lies_over_white(form: str) -> None:
    image = Image.new("RGBA", (4, 300), (200, 0, 0, 255))  # taller than what is converted at a time
    image.putalpha(Image.frombytes("L", (4, 1), bytes((0, 51, 204, 255))).resize((4, 300)))
    found = pixels(saved(image, form, **({"lossless": True, "exact": True} if form == "WEBP" else {})))
    expected = [[255, 255, 255], [244, 204, 204], [211, 51, 51], [200, 0, 0]]
    close(found, np.broadcast_to(np.array(expected), (300, 4, 3)))


def test_gray_with_alpha_stays_gray() -> None:
    image = Image.merge("LA", [Image.new("L", (1, 1), 100), Image.new("L", (1, 1), 102)])
    found = pixels(saved(image, "PNG"))
    assert found.shape == (1, 1)
    close(found, [[193]])


def test_palettes_with_and_without_transparency() -> None:
    image = Image.new("P", (3, 1))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.putdata([0, 1, 2])
    solid = [[[10, 20, 30], [40, 50, 60], [70, 80, 90]]]
    for form in ("PNG", "GIF", "TIFF", "BMP"):
        np.testing.assert_array_equal(pixels(saved(image, form)), solid)
    shown = [[[10, 20, 30], [255, 255, 255], [70, 80, 90]]]
    for form in ("PNG", "GIF"):
        np.testing.assert_array_equal(pixels(saved(image, form, transparency=1)), shown)
    half = pixels(saved(image, "PNG", transparency=bytes((255, 0, 51))))
    close(half, [[[10, 20, 30], [255, 255, 255], [218, 220, 222]]])


@pytest.mark.parametrize(
    ("bits", "colour", "row", "key", "expected"),
    [
        (1, 0, b"\x40", (1,), [[0, 255]]),
        (1, 0, b"\x40", (0,), [[255, 255]]),
        (2, 0, b"\x60", (1,), [[255, 170]]),
        (4, 0, b"\x5a", (5,), [[255, 170]]),
        (8, 0, b"\x05\x06", (5,), [[255, 6]]),
        (16, 0, b"\x05\x05\x05\x06", (0x0505,), [[255, 5]]),
        (8, 2, b"\1\2\3\1\2\4", (1, 2, 3), [[[255, 255, 255], [1, 2, 4]]]),
        (16, 2, b"\1\1\2\2\3\3\1\1\2\2\4\4", (0x101, 0x202, 0x303), [[[255, 255, 255], [1, 2, 4]]]),
    ],
)
def test_a_colour_declared_transparent_is_white(
    bits: int, colour: int, row: bytes, key: tuple[int, ...], expected: list[list[int]]
) -> None:
    transparent = chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))
    np.testing.assert_array_equal(pixels(png(2, 1, bits, colour, b"\0" + row, transparent)), expected)


def test_cmyk_as_adobe_stores_it() -> None:
    expected = np.asarray(VIEW)
    close(pixels(sample("cmyk")), expected, by=60)
    assert abs(pixels(sample("cmyk")).astype(float) - expected).mean() < 6
    np.testing.assert_array_equal(pixels(saved(VIEW.convert("CMYK"), "TIFF")), expected)


@pytest.mark.parametrize("mode", ["YCbCr", "LAB"])
def test_other_spaces_of_tiff_look_the_same(mode: str) -> None:
    from PIL import ImageCms

    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(VIEW, *profiles, outputMode="LAB")
        assert image is not None
    else:
        image = VIEW.convert(mode)
    close(pixels(saved(image, "TIFF")), np.asarray(VIEW), by=8)


def test_jpeg_to_gray_directly_is_the_luma_of_its_colours() -> None:
    content = sample("jpg")
    direct, detour = pixels(content, gray=True), Image.fromarray(pixels(content)).convert("L")
    assert direct.shape == (40, 60)
    close(direct, detour, by=3)
    assert pixels(sample("jpg", gray=True)).shape == (40, 60)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_in_its_common_forms(subsampling: str, progressive: bool) -> None:
    content = saved(VIEW, "JPEG", quality=95, subsampling=subsampling, progressive=progressive)
    assert abs(pixels(content).astype(float) - np.asarray(VIEW)).mean() < 4


def test_the_first_frame_and_the_first_page() -> None:
    other = VIEW.transpose(Image.Transpose.ROTATE_180)
    for form, options in (("TIFF", {}), ("WEBP", {"lossless": True}), ("PNG", {})):
        content = saved(VIEW, form, save_all=True, append_images=[other], **options)
        np.testing.assert_array_equal(pixels(content), np.asarray(VIEW))
    expected = VIEW.convert("P", palette=Image.Palette.ADAPTIVE).convert("RGB")
    np.testing.assert_array_equal(pixels(sample("gif")), np.asarray(expected))
