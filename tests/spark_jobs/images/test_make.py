from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from conf.rules import RULES
from conf.settings import Images
from landfall.sample_web import damage
from landfall.sample_web.catalogue import KINDS
from landfall.sample_web.pictures import CONTENT_TYPES
from spark_jobs.images import encode
from spark_jobs.images.make import Made, make
from spark_jobs.images.picture import Picture
from spark_jobs.transforms import Transform, load
from tests.spark_jobs.images.files import LIMITS, VIEW, chunk, made, opened, png, sample, saved

GRAY = load(["grayscale"])
ASKED = (60, 40)


def gray(content: bytes, asked: tuple[int | None, int | None] = ASKED) -> Made:
    return make(content, asked, GRAY, LIMITS)


@pytest.mark.parametrize("kind", sorted(CONTENT_TYPES.keys() - {"ico"}))
def test_every_kind_becomes_a_gray_picture(kind: str) -> None:
    found = gray(sample(kind))
    assert (found.rule, found.value, found.message) == ("ok", None, RULES["ok"].message)
    form = "JPEG" if found.original_format == "JPEG" else "PNG"
    assert (found.original_width, found.original_height, found.width, found.height, found.format) == (
        *ASKED,
        *ASKED,
        form,
    )
    assert found.digest == hashlib.sha256(found.content or b"").hexdigest()
    pixels = opened(found.content)
    assert pixels.shape == (40, 60)
    if kind != "alpha":
        assert abs(pixels.astype(float) - np.asarray(VIEW.convert("L"))).mean() < 8


def _faulty(name: str) -> bytes:
    sound = sample("jpg", *ASKED)
    files: dict[str, Callable[[], bytes]] = {
        "damaged": lambda: damage.flipped(sound),
        "truncated": lambda: sound[: len(sound) * 2 // 3],
        "wrongsize": lambda: sample("jpg", 67, 43),
        "html": lambda: b"<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>\n",
        "empty": lambda: b"",
        "pixels": damage.vast,
        "ico": lambda: sample("ico"),
    }
    return files[name]()


@pytest.mark.parametrize("name", ["damaged", "truncated", "wrongsize", "html", "empty", "pixels", "ico"])
def test_faults_of_the_sample_web_are_told_apart(name: str) -> None:
    found = gray(_faulty(name))
    assert found.rule == KINDS[name][0]
    assert found[6:] == (None,) * 5


@pytest.mark.parametrize(
    ("asked", "wanted"), [((300, 200), "300x200"), ((61, None), "61xany"), ((None, 41), "anyx41"), ((40, 60), "40x60")]
)
def test_a_size_that_was_not_asked_for(asked: tuple[int | None, int | None], wanted: str) -> None:
    found = gray(sample(), asked)
    assert (found.rule, found.value, found.message) == (
        "image.wrong_size",
        "60x40",
        f"{wanted} was asked for, 60x40 came.",
    )
    assert found[3:6] == (60, 40, "JPEG")


@pytest.mark.parametrize("asked", [(None, None), (60, None), (None, 40), (60, 40)])
def test_sides_not_asked_for_are_not_compared(asked: tuple[int | None, int | None]) -> None:
    assert gray(sample(), asked).rule == "ok"


def test_the_same_pixels_give_the_same_bytes() -> None:
    assert {gray(sample("png")).content, gray(sample("tiff")).content, gray(sample("bmp")).content} == {
        gray(sample("png")).content
    }
    assert gray(sample()).content == gray(sample()).content


def test_encoders_give_the_bytes_that_their_version_stands_for() -> None:
    """If a codec's new release gives other bytes, raise encode.VERSION: ids then differ as the images do."""
    y, x = np.mgrid[0:48, 0:64]
    content, _ = encode.encode(Picture(((x * y + 3 * x) % 256).astype(np.uint8), "JPEG"), quality=85)
    assert (encode.VERSION, hashlib.sha256(content).hexdigest()) == (
        1,
        "6b61e21ca45a72f4c1586aa61673812d33578e0f84d36aedf4bbc7fc8ac7a25c",
    )


def test_quality_is_that_of_the_settings() -> None:
    low, high = (make(sample(), ASKED, GRAY, Images(jpeg_quality=quality)) for quality in (20, 95))
    assert len(low.content or b"") < len(high.content or b"")


def test_nothing_but_pixels_is_carried_over() -> None:
    secret, exif = "taken at home", Image.Exif()
    exif[0x010E] = secret
    profile = b"profile " * 40
    for form in ("JPEG", "PNG"):
        content = saved(VIEW, form, exif=exif, icc_profile=profile, **({"comment": secret} if form == "JPEG" else {}))
        assert secret.encode() in content
        result = made(content).content or b""
        assert secret.encode() not in result
        with Image.open(io.BytesIO(result)) as image:
            assert not image.info.keys() & {"exif", "icc_profile", "comment"}


def test_texts_and_profiles_that_unpack_to_much_are_not_unpacked() -> None:
    bomb = b"a\0\0" + zlib.compress(bytes(80 << 20))
    assert made(png(2, 2, 8, 0, bytes(6), chunk(b"iCCP", bomb), chunk(b"zTXt", bomb))).rule == "ok"


def test_pillows_own_limit_and_warnings_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)  # above: a warning, here an error; above twice that: an error
    for kind in ("png", "webp", "gif", "tiff", "bmp", "cmyk"):
        assert gray(sample(kind)).rule == "ok"
    assert Image.MAX_IMAGE_PIXELS == 10


def test_colour_stays_without_a_transform() -> None:
    for kind in ("jpg", "png"):
        assert opened(made(sample(kind)).content).shape == (40, 60, 3)


def test_a_side_that_jpeg_cannot_have_gives_png() -> None:
    stretch = Transform("stretch", 1, lambda picture: replace(picture, pixels=np.zeros((1, 65501), np.uint8)))
    assert make(sample(), ASKED, [stretch], LIMITS).format == "PNG"


def _raising(_picture: Picture) -> Picture:
    raise KeyError("nose")


@pytest.mark.parametrize(
    ("apply", "reason"),
    [
        (_raising, "KeyError 'nose'"),
        (lambda picture: None, "AttributeError"),
        (lambda picture: replace(picture, pixels=picture.pixels.astype(float)), "float64 in the shape 40x60x3"),
        (lambda picture: replace(picture, pixels=picture.pixels[:0]), "uint8 in the shape 0x60x3"),
        (lambda picture: replace(picture, pixels=picture.pixels[..., :2]), "uint8 in the shape 40x60x2"),
    ],
)
def test_a_transform_that_fails_is_one_lines_outcome(apply: object, reason: str) -> None:
    found = make(sample(), ASKED, [Transform("own", 1, apply)], LIMITS)  # type: ignore[arg-type]
    assert (found.rule, found.value, found.content) == ("image.transform", "own", None)
    assert reason in found.message
    assert found[3:6] == (60, 40, "JPEG")
