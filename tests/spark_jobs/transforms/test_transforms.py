from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

import spark_jobs.transforms
from conf.errors import ConfigError
from conf.settings import Images
from spark_jobs.images.picture import Picture
from spark_jobs.transforms import Transform, catalogue, digest, image_id, load, names

NEGATIVE = """
from dataclasses import replace
from spark_jobs.transforms import Transform
TRANSFORM = Transform("{name}", version=3, apply=lambda picture: replace(picture, pixels=255 - picture.pixels))
"""


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    catalogue._load.cache_clear()
    yield
    catalogue._load.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the folder, in its place."""
    for file in Path(catalogue.__file__).parent.glob("*.py"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(catalogue, "__file__", str(tmp_path / "catalogue.py"))
    monkeypatch.setattr(spark_jobs.transforms, "__path__", [str(tmp_path)])
    importlib.invalidate_caches()
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("spark_jobs.transforms."):
            del sys.modules[name]


def bring(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> None:
    """Entry points as other packages would have them."""
    found = [EntryPoint(name, value, "landfall.transforms") for name, value in points]
    monkeypatch.setattr(catalogue, "entry_points", lambda group: found if group == "landfall.transforms" else [])


def picture(height: int, width: int, gray: bool = False) -> Picture:
    shape = (height, width) if gray else (height, width, 3)
    return Picture(np.random.default_rng(5).integers(0, 256, shape, np.uint8), "PNG")


def test_names_are_known_without_any_codec() -> None:
    code = (
        "import sys; from spark_jobs.transforms import names; print(*sorted(names()));"
        "print(*({'PIL', 'numpy', 'simplejpeg'} & sys.modules.keys()))"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert out.split("\n")[:2] == ["grayscale thumbnail", ""]


def test_they_are_loaded_in_the_order_of_the_feed() -> None:
    assert [each.name for each in load(["thumbnail", "grayscale"])] == ["thumbnail", "grayscale"]
    assert load(["grayscale"]) is load(("grayscale",))


def test_a_new_file_is_a_new_transform(folder: Path) -> None:
    (folder / "film_negative.py").write_text(NEGATIVE.format(name="film-negative"))
    assert names() == {"grayscale", "thumbnail", "film-negative"}
    (transform,) = load(["film-negative"])
    assert transform.version == 3
    assert (transform.apply(picture(2, 2)).pixels == 255 - picture(2, 2).pixels).all()


def test_another_package_brings_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "darkroom.py").write_text(NEGATIVE.format(name="negative"))
    monkeypatch.syspath_prepend(str(tmp_path))
    bring(monkeypatch, ("negative", "darkroom:TRANSFORM"))
    assert names() == {"grayscale", "thumbnail", "negative"}
    assert "darkroom" not in sys.modules
    assert load(["negative", "grayscale"])[0].version == 3


def test_every_mistake_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.py").write_text(NEGATIVE.format(name="negative"))
    monkeypatch.syspath_prepend(str(tmp_path))
    bring(
        monkeypatch,
        ("grayscale", "other:TRANSFORM"),
        ("gone", "nowhere_to_be_found:TRANSFORM"),
        ("renamed", "other:TRANSFORM"),
        ("number", "sys:maxsize"),
    )
    with pytest.raises(ConfigError) as caught:
        load(["grayscale", "thumbnail", "gone", "renamed", "number", "greyscale"])
    clash, gone, renamed, number, unknown = caught.value.problems
    assert clash == (
        "The transform grayscale comes from several places (other:TRANSFORM, spark_jobs.transforms.grayscale): "
        "rename all but one."
    )
    assert "gone cannot be imported from nowhere_to_be_found:TRANSFORM (ModuleNotFoundError: " in gone
    assert renamed.startswith("other:TRANSFORM is no Transform of the name renamed: ")
    assert number.startswith("sys:maxsize is no Transform of the name number: ")
    assert unknown == ("There is no transform greyscale: there are gone, grayscale, number, renamed, thumbnail.")


def test_a_file_that_does_not_import_is_told(folder: Path) -> None:
    (folder / "broken.py").write_text("import nothing_of_this_name\n")
    assert "broken" in names()
    with pytest.raises(ConfigError, match=r"broken cannot be imported from spark_jobs\.transforms\.broken"):
        load(["broken"])


def test_digests_differ_by_all_that_results_depend_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from spark_jobs.images import encode

    gray, small = load(["grayscale", "thumbnail"])
    newer = Transform("grayscale", gray.version + 1, gray.apply, gray_input=True)
    chains = [(), (gray,), (small,), (gray, small), (small, gray), (newer,)]
    found = [digest(chain, Images()) for chain in chains] + [digest((gray,), Images(jpeg_quality=84))]
    monkeypatch.setattr(encode, "VERSION", encode.VERSION + 1)
    found.append(digest((gray,), Images()))
    assert len(set(found)) == len(found)
    assert all(len(each) == 64 and int(each, 16) >= 0 for each in found)


def test_digests_do_not_depend_on_limits() -> None:
    gray = load(["grayscale"])
    assert digest(gray, Images()) == digest(gray, Images(max_pixels=5))


def test_an_image_is_known_by_original_and_transforms() -> None:
    one, other = "a" * 64, "b" * 64
    assert len({image_id(one, other), image_id(other, one), image_id(one, one)}) == 3
    # fixed for good: stored images are found by it
    assert image_id(one, other) == "6173cf9d3267e6b926102c8b149812658d05d834916fd23f7451c48c888147ab"


def test_grayscale_is_luma() -> None:
    (gray,) = load(["grayscale"])
    colours = Picture(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]]], np.uint8), "PNG")
    assert gray.apply(colours).pixels.tolist() == [[76, 150, 29, 9]]
    assert gray.gray_input
    already = picture(3, 4, gray=True)
    assert gray.apply(already) is already


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(512, 1024, (128, 256)), (300, 200, (256, 171)), (1, 5000, (1, 256)), (256, 256, (256, 256)), (9, 7, (9, 7))],
)
@pytest.mark.parametrize("gray", [False, True])
def test_thumbnails_keep_proportions_and_never_grow(height: int, width: int, expected: object, gray: bool) -> None:
    (small,) = load(["thumbnail"])
    made = small.apply(picture(height, width, gray))
    assert made.pixels.shape[:2] == expected
    assert made.gray == gray


def test_thumbnails_are_means_of_areas() -> None:
    (small,) = load(["thumbnail"])
    pixels = picture(512, 512, gray=True).pixels
    means = pixels.reshape(256, 2, 256, 2).mean(axis=(1, 3))
    assert abs(small.apply(Picture(pixels, "PNG")).pixels - means).max() <= 1
