"""Encoding: results as files, the same bytes for the same pixels, with nothing of the original but its pixels."""

from __future__ import annotations

import io

import simplejpeg
from PIL import Image

from spark_jobs.images.picture import Picture

# Part of what an image's id is made of: raised whenever the same pixels would give other bytes.
VERSION = 1
_JPEG_SIDE = 65500  # libjpeg's limit (pixels)


def encode(picture: Picture, *, quality: int) -> tuple[bytes, str]:
    """A file and its format: JPEG for what was JPEG, so that it stays small, PNG for all else, so that nothing is lost.

    Args:
        picture: gray gives a file of one channel.
        quality: of JPEG, 1 to 100.
    """
    if picture.format == "JPEG" and max(picture.width, picture.height) <= _JPEG_SIDE:
        if picture.gray:
            pixels = picture.pixels[:, :, None]
            return simplejpeg.encode_jpeg(pixels, quality, "GRAY", "Gray"), "JPEG"
        return simplejpeg.encode_jpeg(picture.pixels, quality, "RGB", "420"), "JPEG"
    buffer = io.BytesIO()
    Image.fromarray(picture.pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue(), "PNG"
