"""Why bytes are no picture that is taken."""

from __future__ import annotations

from conf.rules import RULES


class ImageFault(Exception):
    """The finding on one picture; internal: ``make`` turns it into a row.

    Args:
        rule: an ``image.*`` code of conf.rules.
        value: what was found, short and printable; None: nothing that could be shown.
        given: what else the rule's message names.
    """

    def __init__(self, rule: str, value: str | None = None, **given: object) -> None:
        self.rule = rule
        self.value = value
        self.message = RULES[rule].say(value=value, **given)
        super().__init__(self.message)


def corrupt(reason: str) -> ImageFault:
    """``image.corrupt``; the reason goes into a sentence, so it has no full stop."""
    return ImageFault("image.corrupt", reason=reason)


def truncated(reason: str) -> ImageFault:
    """``image.truncated``; the reason goes into a sentence, so it has no full stop."""
    return ImageFault("image.truncated", reason=reason)


def check_pixels(width: int, height: int, limit: int) -> None:
    """``image.corrupt`` for no pixels, ``image.too_many_pixels`` for more than ``limit``."""
    if width < 1 or height < 1:
        raise corrupt(f"its header says {width}x{height} pixels")
    if width * height > limit:
        raise ImageFault("image.too_many_pixels", str(width * height), limit=limit)
