"""Records taken apart one at a time: what the fast way (``spark_jobs.records.fast``) must agree with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from conf.feeds import RecordsFeed
from spark_jobs.fields import (
    Fault,
    Fields,
    broken,
    column_names,
    corrects,
    csv_reader,
    is_mended,
    json_fields,
    json_object,
)
from spark_jobs.index import EntryIndex, Range
from spark_jobs.rejects import ADDED, encode

Record = tuple[int, bytes]


class Source(NamedTuple):
    """One file of a drop, and how it answers to what the feed reads.

    Attributes:
        entry: what the index says of it.
        names: of a CSV's columns, in order, each once.
        attributes: for each column that the feed reads, what the file calls it; None where a CSV has no such column.
    """

    entry: EntryIndex
    names: list[str]
    attributes: tuple[str | None, ...]

    @classmethod
    def of(cls, entry: EntryIndex, feed: RecordsFeed) -> Source:
        """How this file answers to the feed."""
        wanted = [column.attribute for column in feed.read]
        if entry.format != "csv":
            return cls(entry, [], tuple(wanted))
        names = column_names(entry) if feed.header or is_mended(entry) else wanted
        return cls(entry, names, tuple(_named(attribute, names) for attribute in wanted))

    def reader(self) -> Callable[[bytes], Fields | Fault]:
        """Takes a sound record apart into its fields."""
        return csv_reader(self.entry, self.names, strict=True) if self.entry.format == "csv" else _object


def rows(records: Iterable[Record], number: int, found: Range, source: Source, max_bytes: int) -> Iterator[list[Any]]:
    """Records of one range -> rows of ``shape.text_schema``.

    Args:
        records: (line, bytes) as ``spark_jobs.lines.records`` gives them.
        number: of the range in the index.
        max_bytes: the limit of a line, for the message of one that is too long.
    """
    read = source.reader()
    nothing = [None] * len(source.attributes)
    for line, raw in records:
        said = broken(raw, found, max_bytes, source.entry.encoding) or read(raw)
        place = [number, source.entry.entry, line]
        if isinstance(said, Fault):
            yield [*place, None, None, *said, *nothing]
            continue
        mended = corrects(said)
        texts = [_text(said.get(name)) if name is not None else None for name in source.attributes]
        yield [*place, mended.get("corrects_drop"), mended.get("corrects_line"), None, None, None, *texts]


def fields(records: Iterable[bytes], found: Range, source: Source, max_bytes: int) -> Iterator[dict[str, str]]:
    """The fields of records in the form in which rejects carry them; one that cannot be taken apart is one field."""
    read = source.reader()
    encoding = source.entry.encoding
    for raw in records:
        said = broken(raw, found, max_bytes, encoding) or read(raw)
        if isinstance(said, Fault):
            first = next((name for name in (*source.names, *source.attributes) if name), "line")
            yield {first: encode(_decoded(raw, encoding))}
        else:
            yield {name: encode(value) for name, value in said.items() if name not in ADDED}


def keys(records: Iterable[Record], found: Range, source: Source, max_bytes: int) -> list[str]:
    """The keys of objects, in the order in which they come first; a value that is null has its key there."""
    sound = (raw for _, raw in records if broken(raw, found, max_bytes, source.entry.encoding) is None)
    objects = (said for said in map(json_object, sound) if not isinstance(said, Fault))
    return list(dict.fromkeys(key for one in objects for key in one))


def _decoded(raw: bytes, encoding: str) -> str | bytes:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return raw


def _object(raw: bytes) -> Fields | Fault:
    said = json_object(raw)
    if isinstance(said, Fault):
        return said
    return json_fields({name: value for name, value in said.items() if value is not None})


def _text(value: str | bytes | None) -> str | None:
    """A value that Arrow can carry: JSON can spell half characters, and a mended cell may hold bytes."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if value is None or value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def _named(attribute: str, names: Sequence[str]) -> str | None:
    """The column of a file that an attribute means: the same name, or else the first that differs in case alone."""
    if attribute in names:
        return attribute
    return next((name for name in names if name.strip().casefold() == attribute.strip().casefold()), None)
