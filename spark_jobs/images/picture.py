"""A decoded picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels as a person sees them: upright, without transparency, 8 bits a channel.

    Attributes:
        pixels: (height, width) for gray, (height, width, 3) for RGB; uint8. Never written to: it may be shared.
        format: of the original: JPEG, PNG, WebP, GIF, TIFF or BMP.
    """

    pixels: Pixels
    format: str

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.pixels.shape[0])

    @property
    def gray(self) -> bool:
        """Whether it has one channel."""
        return self.pixels.ndim == 2
