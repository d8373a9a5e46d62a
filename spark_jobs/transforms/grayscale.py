"""Without colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from spark_jobs.images.picture import Picture
from spark_jobs.transforms.transform import Transform


def _grayscale(picture: Picture) -> Picture:
    """Luma of ITU-R BT.601 (0.299 R + 0.587 G + 0.114 B), as JPEG has it."""
    if picture.gray:
        return picture
    return replace(picture, pixels=np.asarray(Image.fromarray(picture.pixels).convert("L")))


TRANSFORM = Transform("grayscale", version=1, apply=_grayscale, gray_input=True)
