"""What a transform is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # names of transforms are asked for where no picture is ever decoded
    from spark_jobs.images.picture import Picture


@dataclass(frozen=True)
class Transform:
    """A step that every picture of a feed goes through.

    Attributes:
        name: by which a feed lists it.
        version: raised whenever the same picture would come out otherwise; results of both are then kept apart.
        apply: a picture's result; never writes to the pixels it is given.
        gray_input: as the first of a feed's transforms it is content with luma alone, which is faster to decode.
    """

    name: str
    version: int
    apply: Callable[[Picture], Picture]
    gray_input: bool = False
