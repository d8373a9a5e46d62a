from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from spark_jobs.images.decode import decode
from spark_jobs.images.directory import orientation
from tests.spark_jobs.images.files import VIEW, made, sample, saved

TAG = 0x0112
BEST: dict[str, dict[str, Any]] = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}


def _exif(turned: int) -> Image.Exif:
    exif = Image.Exif()
    exif[TAG] = turned
    return exif


def _expected(turned: int) -> np.ndarray[Any, Any]:
    image = VIEW.copy()
    image.getexif()[TAG] = turned
    return np.asarray(ImageOps.exif_transpose(image))


@pytest.mark.parametrize("turned", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_pictures_stand_upright(form: str, turned: int) -> None:
    content = saved(VIEW, form, exif=_exif(turned), **BEST.get(form, {}))
    picture, expected = decode(content, max_pixels=10_000), _expected(turned)
    assert picture.pixels.shape == expected.shape
    np.testing.assert_allclose(picture.pixels.astype(int), expected, atol=6 if form == "JPEG" else 0)


def test_the_size_asked_for_is_that_of_the_upright_picture() -> None:
    content = sample("exif", 60, 40)
    assert made(content, (60, 40)).rule == "ok"
    turned = made(content, (40, 60))
    assert (turned.rule, turned.value) == ("image.wrong_size", "60x40")


@pytest.mark.parametrize("found", [0, 9, 65535])
def test_an_orientation_that_there_is_not_changes_nothing(found: int) -> None:
    content = saved(VIEW, "PNG", exif=_exif(found))
    np.testing.assert_array_equal(decode(content, max_pixels=10_000).pixels, np.asarray(VIEW))


def test_both_byte_orders_are_read() -> None:
    for order, mark in (("<", b"II*\0"), (">", b"MM\0*")):
        exif = b"Exif\0\0" + mark + struct.pack(order + "IHHHIHxx", 8, 1, TAG, 3, 1, 6)
        assert orientation(exif) == 6


@given(st.binary(max_size=80))
def test_no_exif_raises(exif: bytes) -> None:
    assert 1 <= orientation(b"II*\0" + exif) <= 8
    assert 1 <= orientation(exif) <= 8
