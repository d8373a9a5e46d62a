"""A pattern that codes of one make have in common: ``ab123456`` and ``xy000001`` are ``[a-z]{2}[0-9]{6}``."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

_MOST_RUNS = 9
_MOST_LENGTH = 64

Runs = tuple[tuple[str, int], ...]


def pattern(values: Mapping[str, int], least_share: float) -> str | None:
    """A regular expression for the shape that nearly all values have, if it says something; None if none does.

    Args:
        values: how often each comes.
        least_share: of all of them that must have the shape.
    """
    total = sum(values.values())
    for classify in (_letters_and_digits, _any_of_both):
        shapes: Counter[tuple[str, ...]] = Counter()
        of_shape: dict[tuple[str, ...], list[Runs]] = {}
        for value, count in values.items():
            if len(value) > _MOST_LENGTH:
                continue
            runs = _runs(value, classify)
            shape = tuple(kind for kind, _ in runs)
            shapes[shape] += count
            of_shape.setdefault(shape, []).append(runs)
        if not shapes:
            return None
        shape, count = shapes.most_common(1)[0]
        if count < total * least_share or len(shape) > _MOST_RUNS:
            continue
        spans = [_span(run) for run in zip(*of_shape[shape], strict=True)]
        found = _of_both(shape, spans, values) if classify is _any_of_both else _of_each(shape, spans)
        if found:
            return found
    return None


def _of_each(shape: tuple[str, ...], spans: list[tuple[int, int]]) -> str | None:
    """Runs of small letters, great letters, digits, and what stands between them."""
    if "[0-9]" not in shape or re.escape(" ") in shape:
        return None
    return "".join(kind + _repeat(kind, span) for kind, span in zip(shape, spans, strict=True))


def _of_both(shape: tuple[str, ...], spans: list[tuple[int, int]], values: Iterable[str]) -> str | None:
    """Runs of letters and digits mixed, such as a UUID: each of one length."""
    if re.escape(" ") in shape or any(least != most for least, most in spans) or sum(most for _, most in spans) < 4:
        return None
    used = set("".join(values))
    if not used & set("0123456789"):
        return None
    parts: list[str] = []
    for least, most, one in (("a", "f", "a-f"), ("g", "z", "a-z"), ("A", "F", "A-F"), ("G", "Z", "A-Z")):
        if any(least <= character <= most for character in used):
            parts = [part for part in parts if part[0] != one[0]] + [one]
    mixed = f"[{''.join(['0-9', *parts])}]"
    return "".join(
        (mixed if kind == _MIXED else kind) + _repeat(kind, span) for kind, span in zip(shape, spans, strict=True)
    )


_MIXED = "[0-9A-Za-z]"


def _letters_and_digits(character: str) -> str:
    if "0" <= character <= "9":
        return "[0-9]"
    if "a" <= character <= "z":
        return "[a-z]"
    return "[A-Z]" if "A" <= character <= "Z" else re.escape(character)


def _any_of_both(character: str) -> str:
    return _MIXED if character.isascii() and character.isalnum() else re.escape(character)


def _runs(value: str, classify: Callable[[str], str]) -> Runs:
    return tuple((kind, len(list(run))) for kind, run in itertools.groupby(value, classify))


def _span(run: Iterable[tuple[str, int]]) -> tuple[int, int]:
    lengths = [length for _, length in run]
    return min(lengths), max(lengths)


def _repeat(kind: str, span: tuple[int, int]) -> str:
    """How often; numbers that count up may grow longer than any that has been seen."""
    least, most = span
    if least == most:
        return "" if least == 1 else f"{{{least}}}"
    return "+" if kind == "[0-9]" else f"{{{least},{most}}}"
