"""One original made into one result: decoded, compared with what was asked for, transformed, encoded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from conf.rules import RULES
from conf.settings import Images
from spark_jobs.images.decode import decode
from spark_jobs.images.encode import encode
from spark_jobs.images.fault import ImageFault
from spark_jobs.images.picture import Picture
from spark_jobs.transforms.transform import Transform


class Made(NamedTuple):
    """What became of an original.

    Attributes:
        rule: ``ok`` or an ``image.*`` code.
        value: what was found wrong, short and printable.
        message: one sentence.
        original_width: pixels, upright; None when it could not be decoded. So also the two that follow.
        original_height: pixels.
        original_format: JPEG, PNG, WebP, GIF, TIFF or BMP.
        width: of the result, pixels; None when there is none. So also all that follow.
        height: pixels.
        format: JPEG or PNG.
        digest: sha-256 of content, 64 hex digits.
        content: the result's file.
    """

    rule: str
    value: str | None
    message: str
    original_width: int | None = None
    original_height: int | None = None
    original_format: str | None = None
    width: int | None = None
    height: int | None = None
    format: str | None = None
    digest: str | None = None
    content: bytes | None = None


def make(content: bytes, asked: tuple[int | None, int | None], transforms: Sequence[Transform], images: Images) -> Made:
    """The result of an original, or what is wrong with it; raises for nothing that the bytes can do.

    Args:
        content: what was fetched.
        asked: width and height in pixels as a person sees the picture; None: that side was not asked for.
        transforms: applied in order.
        images: limits and quality.
    """
    gray = bool(transforms) and transforms[0].gray_input
    try:
        original = decode(content, max_pixels=images.max_pixels, gray=gray)
    except ImageFault as fault:
        return Made(fault.rule, fault.value, fault.message)
    found = (original.width, original.height, original.format)
    try:
        _check_size(original, asked)
        result = original
        for transform in transforms:
            result = _applied(transform, result)
    except ImageFault as fault:
        return Made(fault.rule, fault.value, fault.message, *found)
    file, name = encode(result, quality=images.jpeg_quality)
    digest = hashlib.sha256(file).hexdigest()
    return Made("ok", None, RULES["ok"].say(), *found, result.width, result.height, name, digest, file)


def _check_size(picture: Picture, asked: tuple[int | None, int | None]) -> None:
    real = (picture.width, picture.height)
    if any(side is not None and side != found for side, found in zip(asked, real, strict=True)):
        wanted = "x".join("any" if side is None else str(side) for side in asked)
        raise ImageFault("image.wrong_size", f"{real[0]}x{real[1]}", asked=wanted)


def _applied(transform: Transform, picture: Picture) -> Picture:
    """``image.transform`` when it fails: a transform of somebody's own must not stop a drop for one picture."""
    try:
        made = transform.apply(picture)
        shape, kind = made.pixels.shape, made.pixels.dtype
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 (a transform may come from anybody)
        reason = " ".join(f"{type(error).__name__} {error}".split())[:120].rstrip(".")
        raise ImageFault("image.transform", transform.name, reason=reason) from None
    if kind != "uint8" or 0 in shape or not (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)):
        reason = f"it gave {kind} in the shape {'x'.join(map(str, shape))}"
        raise ImageFault("image.transform", transform.name, reason=reason)
    return made
