"""Photographs to fetch: real ones, cut and lit anew so that no two are equal.

Usage: ``.venv-bench/bin/python bench/photographs.py DIRECTORY COUNT``. Adds what is missing, ``00/000000.jpg`` and on;
about 0.3 megapixel and 50 kB each, the same for the same number. The originals come with scikit-image. From the
20,000th on, a photograph is an earlier one with a comment, so that its bytes are its own and it is made at once.
"""

from __future__ import annotations

import io
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageEnhance

SIDE = (640, 480)
QUALITY = 82
_OWN = 20_000  # photographs of which no two have the same pixels
_NAMES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png", "hubble_deep_field.jpg")


def name(number: int) -> str:
    """Where photograph ``number`` lies."""
    return f"{number // 1000:02d}/{number:06d}.jpg"


def make(root: Path, number: int) -> None:
    """Writes one photograph, if it is not there."""
    file = root / name(number)
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    if number >= _OWN:
        make(root, number % _OWN)
        content = (root / name(number % _OWN)).read_bytes()
        # SOI, then a segment COM (ITU-T T.81 B.2.4.5) whose length counts itself
        _write(file, content[:2] + b"\xff\xfe\x00\x0a" + b"%08d" % number + content[2:])
        return
    chance = np.random.default_rng(number)
    original = _original(number % len(_NAMES))
    # A window of the photograph, never less than half of it, at the size of all.
    share = chance.uniform(0.55, 1.0)
    width, height = int(original.width * share), int(original.height * share)
    left, top = chance.integers(0, original.width - width + 1), chance.integers(0, original.height - height + 1)
    picture = original.resize(SIDE, Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))
    if chance.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    picture = ImageEnhance.Brightness(picture).enhance(chance.uniform(0.8, 1.2))
    # A camera's noise: without it enlarged photographs are smaller than those that people take.
    noisy = np.asarray(picture, dtype=np.int16) + chance.normal(0, 2.5, (SIDE[1], SIDE[0], 1)).astype(np.int16)
    made = io.BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(made, "JPEG", quality=QUALITY)
    _write(file, made.getvalue())


def _write(file: Path, content: bytes) -> None:
    temporary = file.with_suffix(".part")
    temporary.write_bytes(content)
    temporary.rename(file)


@cache
def _original(number: int) -> Image.Image:
    file = Path(skimage.data.__file__).parent / _NAMES[number]
    return Image.open(file).convert("RGB")


def main(root: Path, count: int) -> None:
    """Makes what is missing, on all cores."""
    with ProcessPoolExecutor() as pool:
        for _ in pool.map(make, [root] * count, range(count), chunksize=100):
            pass
    sizes = [(root / name(number)).stat().st_size for number in range(min(count, 2000))]
    print(f"{count:,} photographs of {SIDE[0]}x{SIDE[1]} in {root}, {sum(sizes) / len(sizes) / 1000:.1f} kB each")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
