"""The pictures, and what is done to them."""

from __future__ import annotations

import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image, ImageOps

from landfall.sample_web.damage import flipped, vast
from landfall.sample_web.pictures import CONTENT_TYPES, Picture, Shelf, encode, paint


@pytest.mark.parametrize("kind", CONTENT_TYPES)
@pytest.mark.parametrize("gray", [False, True])
def test_every_kind_is_a_sound_picture_of_its_size(kind: str, gray: bool) -> None:
    file = encode(1, Picture(5, 60, 40, gray=gray, kind=kind))
    with Image.open(io.BytesIO(file)) as image:
        image.load()
        assert Image.MIME[image.format or ""] in (CONTENT_TYPES[kind], "image/x-icon")
        assert ImageOps.exif_transpose(image).size == (60, 40)


def test_the_same_seed_paints_the_same_and_another_does_not() -> None:
    assert encode(1, Picture(5, 60, 40)) == encode(1, Picture(5, 60, 40))
    assert encode(1, Picture(5, 60, 40)) != encode(2, Picture(5, 60, 40))
    assert encode(1, Picture(5, 60, 40)) != encode(1, Picture(6, 60, 40))


def test_a_view_looks_alike_at_every_size() -> None:
    small = np.asarray(paint(1, 3, 64, 48), np.float32)
    large = np.asarray(paint(1, 3, 1280, 960).resize((64, 48), Image.Resampling.BOX), np.float32)
    assert np.abs(small - large).mean() < 8


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (5000, 2)])
def test_odd_sizes_are_painted(size: tuple[int, int]) -> None:
    assert paint(0, 0, *size).size == size


@pytest.mark.parametrize("number", range(6))
def test_flipped_bytes_pass_pillow_and_fail_a_strict_decoder(number: int) -> None:
    damaged = flipped(encode(1, Picture(number, 40 + number, 50)))
    with Image.open(io.BytesIO(damaged)) as image:
        image.load()
    with pytest.raises(ValueError, match=r"."):
        simplejpeg.decode_jpeg(damaged, strict=True)


def test_a_vast_picture_is_told_by_its_header() -> None:
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(vast()))


def test_the_shelf_throws_the_least_used_away() -> None:
    shelf = Shelf(10)
    first, second, third = (Picture(number, 1, 1) for number in range(3))
    shelf.put(first, b"1234")
    shelf.put(second, b"1234")
    assert shelf.get(first) == b"1234"
    shelf.put(third, b"1234")
    assert (shelf.get(first), shelf.get(second), shelf.get(third)) == (b"1234", None, b"1234")
    assert shelf.held == 8
    shelf.put(second, b"larger than the shelf")
    assert shelf.get(second) is None
