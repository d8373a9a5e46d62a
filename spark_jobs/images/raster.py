"""GIF, WebP, TIFF and BMP: checked for what Pillow lets pass, then decoded by it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import BmpImagePlugin, GifImagePlugin, ImageFile, TiffImagePlugin, WebPImagePlugin

from spark_jobs.images import containers, directory
from spark_jobs.images.fault import check_pixels, corrupt
from spark_jobs.images.libtiff import complaints
from spark_jobs.images.picture import Picture
from spark_jobs.images.pillow import flat, guarded


class _Format(NamedTuple):
    """``check`` sees bytes and the limit before Pillow does; ``open`` reads the header."""

    check: Callable[[bytes, int], None]
    open: Callable[[io.BytesIO], ImageFile.ImageFile]
    orientation: Callable[[ImageFile.ImageFile], int]


def decode(content: bytes, name: str, *, max_pixels: int) -> Picture:
    """The first frame or page.

    Args:
        content: bytes with that format's signature.
        name: a key of FORMATS.
        max_pixels: image.too_many_pixels above it, before anything is decoded.
    """
    form = FORMATS[name]
    form.check(content, max_pixels)
    with guarded(), complaints() as found, form.open(io.BytesIO(content)) as image:
        check_pixels(*image.size, max_pixels)
        turned = form.orientation(image)
        image.load()
        if found:
            raise corrupt(f"it does not decode ({found[0]})")
        pixels = flat(image)
        if image.mode.startswith("I;16") and _is_white_zero(image):
            pixels = np.invert(pixels)
    return Picture(directory.upright(pixels, turned), name)


def _is_white_zero(image: ImageFile.ImageFile) -> bool:
    """Pillow turns 8 bits itself, 16 bits not."""
    return isinstance(image, TiffImagePlugin.TiffImageFile) and image.tag_v2.get(262) == 0


def _unturned(_image: ImageFile.ImageFile) -> int:
    """GIF and BMP have no orientation, and TIFF is upright when Pillow has loaded it."""
    return 1


def _of_webp(image: ImageFile.ImageFile) -> int:
    return directory.orientation(image.info.get("exif", b""))


FORMATS = {
    "GIF": _Format(containers.check_gif, GifImagePlugin.GifImageFile, _unturned),
    "WebP": _Format(containers.check_webp, WebPImagePlugin.WebPImageFile, _of_webp),
    "TIFF": _Format(directory.check, TiffImagePlugin.TiffImageFile, _unturned),
    "BMP": _Format(containers.check_bmp, BmpImagePlugin.BmpImageFile, _unturned),
}
