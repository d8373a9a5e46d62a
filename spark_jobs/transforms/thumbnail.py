"""Small enough for a contact sheet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from spark_jobs.images.picture import Picture
from spark_jobs.transforms.transform import Transform

_SIDE = 256  # pixels


def _thumbnail(picture: Picture) -> Picture:
    """The longest side at most 256 pixels, each pixel the mean of the area it covers; never enlarged."""
    scale = _SIDE / max(picture.width, picture.height)
    if scale >= 1:
        return picture
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    small = Image.fromarray(picture.pixels).resize(size, Image.Resampling.BOX)
    return replace(picture, pixels=np.asarray(small))


TRANSFORM = Transform("thumbnail", version=1, apply=_thumbnail)
