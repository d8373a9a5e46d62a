"""A feed of catalogues: each line names a picture."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, ValidationInfo, field_validator

from conf.feeds.base import Feed
from conf.hosts import pattern
from conf.names import Name
from conf.problems import nearest, not_empty
from conf.shares import Share
from conf.size import checked_size


def _transform(name: str, info: ValidationInfo) -> str:
    known = (info.context or {}).get("transforms")
    if known is not None and name not in known:
        raise ValueError(f"allowed are {', '.join(sorted(known))}{nearest(name, known)}")
    return name


Transform = Annotated[Name, AfterValidator(_transform)]
Host = Annotated[str, AfterValidator(lambda text: str(pattern(text)))]


class ImagesFeed(Feed):
    """A feed of catalogues of picture URLs.

    Attributes:
        format: how lines are written; ``auto`` tells it from the content, never from the name.
        delimiter: of CSV.
        sources: hosts (see ``conf.hosts``) that a catalogue may name.
        redirects: hosts that a source may send us on to.
        size: regular expression with groups ``width`` and ``height`` over the URL's path; none: size is not asked for.
        transforms: what is done to each picture, in order.
        max_transient: share of requests (0 to 1, or "2%") that may fail in passing before the drop is held.
    """

    format: Literal["auto", "text", "csv", "jsonl"] = "auto"
    delimiter: Literal[",", ";", "\t", "|"] = ","
    sources: Annotated[tuple[Host, ...], AfterValidator(not_empty)]
    redirects: tuple[Host, ...] = ()
    size: Annotated[str, AfterValidator(checked_size)] | None = None
    transforms: Annotated[tuple[Transform, ...], AfterValidator(not_empty)] = ("grayscale",)
    max_transient: Share = 0.02

    @field_validator("transforms")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"it must name each transform once ({', '.join(twice)})")
        return names
