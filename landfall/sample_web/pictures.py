"""The pictures: landscapes painted from (seed, number), the same view at every size."""

from __future__ import annotations

import io
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

COUNT = 1084  # pictures a seed has; as many as picsum
MAX_SIDE = 5000
_PAINTED_SIDE = 640  # larger pictures are painted at this size and enlarged

CONTENT_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "tiff": "image/tiff",
    "bmp": "image/bmp",
    "ico": "image/x-icon",
    "cmyk": "image/jpeg",
    "png16": "image/png",
    "alpha": "image/png",
    "palette": "image/png",
    "exif": "image/jpeg",
}


class Picture(NamedTuple):
    """What is asked for.

    Attributes:
        number: which view, 0 to COUNT - 1.
        width: pixels, 1 to MAX_SIDE.
        height: pixels, 1 to MAX_SIDE.
        gray: without colour.
        blur: 0 for none, to 10.
        kind: a key of CONTENT_TYPES.
    """

    number: int
    width: int
    height: int
    gray: bool = False
    blur: int = 0
    kind: str = "jpg"

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.kind]


def paint(seed: int, number: int, width: int, height: int) -> Image.Image:
    """A landscape: sky, a sun with its glow, and hills, as RGB."""
    scale = min(1.0, _PAINTED_SIDE / max(width, height))
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    view = np.random.default_rng((seed, number))
    u: NDArray[np.float32] = np.linspace(0, 1, w, dtype=np.float32)[None, :]
    v: NDArray[np.float32] = np.linspace(0, 1, h, dtype=np.float32)[:, None]
    high, low, hill = view.uniform((20, 60, 60), (120, 140, 200), 3), view.uniform(150, 255, 3), view.uniform(10, 90, 3)
    canvas = (high + (low - high) * v[..., None]).astype(np.float32) * np.ones((1, w, 1), np.float32)
    sun_u, sun_v, radius = view.uniform((0.15, 0.1, 0.05), (0.85, 0.45, 0.12))
    distance = ((u - sun_u) * np.float32(width / height)) ** 2 + (v - sun_v) ** 2
    canvas += np.exp(-distance * 9)[..., None] * np.array((70, 55, 20), np.float32)
    canvas[distance < radius**2] = (255, 244, 214)
    layers = int(view.integers(2, 5))
    for layer in range(layers):
        waves = view.uniform((2, 5, 11), (5, 11, 30)), view.uniform(0, 6.3, 3)
        ridge = 0.45 + 0.5 * (layer + 0.5) / layers
        for size, pace, phase in zip((0.08, 0.03, 0.008), *waves, strict=True):
            ridge = ridge + size * np.sin(pace * u + phase)
        nearness = (layer + 1) / layers
        colour = (low * (1 - nearness) + hill * nearness).astype(np.float32)
        canvas = np.where((v > ridge)[..., None], colour * (1.15 - 0.3 * v[..., None]), canvas)
    canvas += view.normal(0, 2.5, (h, w, 1)).astype(np.float32)
    image = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8), "RGB")
    return image if (w, h) == (width, height) else image.resize((width, height), Image.Resampling.BICUBIC)


def encode(seed: int, asked: Picture) -> bytes:
    """The file of a picture."""
    image = paint(seed, asked.number, asked.width, asked.height)
    if asked.blur:
        image = image.filter(ImageFilter.GaussianBlur(asked.blur))
    if asked.gray:
        image = image.convert("L")
    buffer = io.BytesIO()
    _save(image, asked.kind, buffer)
    return buffer.getvalue()


def _save(image: Image.Image, kind: str, buffer: io.BytesIO) -> None:
    options: dict[str, Any] = {"quality": 82}
    match kind:
        case "jpg":
            image.save(buffer, "JPEG", **options)
        case "cmyk":
            image.convert("RGB").convert("CMYK").save(buffer, "JPEG", **options)
        case "exif":  # lies on its side, and says so
            exif = Image.Exif()
            exif[0x0112] = 6
            image.transpose(Image.Transpose.ROTATE_90).save(buffer, "JPEG", exif=exif, **options)
        case "gif":  # two frames; the first is the picture
            first = image.convert("P", palette=Image.Palette.ADAPTIVE)
            first.save(buffer, "GIF", save_all=True, append_images=[first.transpose(Image.Transpose.FLIP_LEFT_RIGHT)])
        case "png16":
            wide = np.asarray(image.convert("L"), np.uint16) * 257
            Image.fromarray(wide).save(buffer, "PNG", compress_level=1)
        case "alpha":
            fade = Image.linear_gradient("L").resize(image.size)
            seen = image.convert("RGBA")
            seen.putalpha(fade)
            seen.save(buffer, "PNG", compress_level=1)
        case "palette":
            image.convert("P", palette=Image.Palette.ADAPTIVE).save(buffer, "PNG")
        case "ico":
            image.save(buffer, "ICO", sizes=[(min(image.width, 256), min(image.height, 256))])
        case "png":
            image.save(buffer, "PNG", compress_level=1)
        case _:
            image.save(buffer, kind.upper(), **({"quality": 82, "method": 0} if kind == "webp" else {}))


class Shelf:
    """Files of pictures made before, the least used thrown away first.

    Args:
        capacity: how much is kept (bytes).
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._files: OrderedDict[Picture, bytes] = OrderedDict()
        self.held = 0

    def get(self, asked: Picture) -> bytes | None:
        """The file, when it is still there."""
        if asked in self._files:
            self._files.move_to_end(asked)
        return self._files.get(asked)

    def put(self, asked: Picture, file: bytes) -> None:
        """Keeps a file, at the cost of the least used ones."""
        if asked in self._files or len(file) > self._capacity:
            return
        self._files[asked] = file
        self.held += len(file)
        while self.held > self._capacity:
            _, gone = self._files.popitem(last=False)
            self.held -= len(gone)
