"""What readers see of a client: every table, and the files of it that each published output holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from targets.dataset import Dataset, Manifest, require
from targets.filesystem import FileSystem
from targets.layout import ClientLayout
from targets.marts import Mart, published_marts
from targets.published import Published, current, published_feeds
from targets.tables import Table, merged


@dataclass(frozen=True)
class Part:
    """The files of one table in one published output.

    Attributes:
        table: as the output's manifest describes it.
        files: their paths.
        output: path of the output.
        feed, drop: of which drop it is; empty of a mart that is made of many.
        build: of the stage or action that made it.
        received: when the drop was received, or the mart published (UTC).
        workflow, action: what made it, if a workflow did.
        described: whether the output itself says what columns its files have; an older one need not have all of them.
    """

    table: Table
    files: tuple[str, ...]
    output: str
    feed: str
    drop: str
    build: str
    received: datetime
    workflow: str = ""
    action: str = ""
    described: bool = True

    @property
    def identity(self) -> str:
        """What says that two parts hold the same."""
        made_by = f"{self.workflow}/{self.action}/" if self.workflow else ""
        return f"{made_by}{self.feed}/{self.drop}/{self.build}"


class Written(NamedTuple):
    """Files that were written with the same columns.

    Attributes:
        columns: of the files.
        files: their paths.
        alike: whether each file has just these columns.
    """

    columns: Mapping[str, str]
    files: list[str]
    alike: bool


@dataclass(frozen=True)
class Catalog:
    """The tables that readers see, and what they are made of.

    Attributes:
        tables: each table, as all its parts together describe it.
        parts: of each table, in order of receipt; none of a table that nothing was published of.
    """

    tables: Mapping[str, Table]
    parts: Mapping[str, tuple[Part, ...]]

    def files(self, table: str) -> list[str]:
        """Paths of all the table's files."""
        return [file for part in self.parts[table] for file in part.files]

    def written(self, table: str) -> list[Written]:
        """The table's files by the columns that they were written with, older columns first."""
        groups: dict[tuple[tuple[tuple[str, str], ...], bool], list[str]] = {}
        for part in self.parts[table]:
            if part.files:
                groups.setdefault((tuple(part.table.columns.items()), part.described), []).extend(part.files)
        return [Written(dict(columns), files, alike) for (columns, alike), files in groups.items()]

    def identity(self, table: str) -> list[str]:
        """What says whether the table is still the same: the identities of its parts."""
        return sorted(part.identity for part in self.parts[table])

    def of_drops(self, drops: Collection[str]) -> Catalog:
        """The same tables, of these drops alone."""
        parts = {name: tuple(part for part in of if part.drop in drops) for name, of in self.parts.items()}
        return Catalog(self.tables, parts)


def published_tables(
    fs: FileSystem,
    layout: ClientLayout,
    feeds: Collection[str] | None,
    known: Mapping[str, Table],
    month_of: date | None = None,
) -> Catalog:
    """What readers see now of the feeds.

    Args:
        feeds: which feeds' tables; None: all.
        known: tables that are there even where nothing is published; the files of an output that is older than
            descriptions are described by them.
        month_of: the drops that were received in the month of this day, as if there were no others; None: all. What
            a workflow made of many drops is seen whole; a running total is seen if its last drop is one of those.
    """
    parts: defaultdict[str, list[Part]] = defaultdict(list)
    wanted = [feed for feed in published_feeds(fs, layout) if feeds is None or feed in feeds]
    entries = sorted(current(fs, layout, wanted, month_of), key=lambda one: (one.received, one.drop))
    for entry in entries:
        for part in _parts(fs, layout, entry, known):
            parts[part.table.name].append(part)
    for mart in published_marts(fs, layout).values():
        readable = list(mart_parts(fs, layout, mart, feeds, {entry.drop for entry in entries} if month_of else None))
        if readable or mart.table in known:
            parts[mart.table] = readable
    names = list(dict.fromkeys([*known, *parts]))
    described = {name: [known[name]] if name in known else [] for name in names}
    tables = {name: merged([*described[name], *_tables(parts.get(name, ()))]) for name in names}
    return Catalog(tables, {name: tuple(parts.get(name, ())) for name in names})


def mart_parts(
    fs: FileSystem,
    layout: ClientLayout,
    mart: Mart,
    feeds: Collection[str] | None = None,
    drops: Collection[str] | None = None,
) -> Iterator[Part]:
    """The parts of a mart that whoever may read these feeds (None: all) may read; of these drops (None: all) only, as
    far as a part is of one drop.
    """
    manifests: dict[str, Manifest] = {}
    for one in mart.parts:
        if feeds is not None and not set(one.feeds) <= set(feeds):
            continue
        if drops is not None and one.drop and one.drop not in drops:
            continue
        path = layout.action(mart.workflow, mart.action, one.build)
        if one.build not in manifests:
            manifests[one.build] = require(Dataset(fs, path), f"{mart.workflow}/{mart.action} of {mart.table}")
        manifest = manifests[one.build]
        below = f"{mart.table}/{one.partition}" if one.partition else mart.table
        files = tuple(f"{path}/{file}" for file in sorted(manifest.files) if _is_of(file, below))
        table = Table.from_json(manifest.tables[mart.table])
        yield Part(table, files, path, one.feed, one.drop, one.build, mart.published, mart.workflow, mart.action)


def _tables(parts: Iterable[Part]) -> list[Table]:
    return [part.table for part in parts]


def _parts(fs: FileSystem, layout: ClientLayout, entry: Published, known: Mapping[str, Table]) -> Iterator[Part]:
    """The tables that Load made of a published drop."""
    build = entry.stages["load"]
    path = layout.stage("load", entry.feed, entry.receipt, entry.drop, build)
    manifest = require(Dataset(fs, path), f"Load of the published drop {entry.drop[:12]}")
    for name, table in _described(manifest, known).items():
        files = tuple(f"{path}/{file}" for file in sorted(manifest.files) if _is_of(file, name))
        described = bool(manifest.tables)
        yield Part(table, files, path, entry.feed, entry.drop, build, entry.received, described=described)


def _described(manifest: Manifest, known: Mapping[str, Table]) -> dict[str, Table]:
    if manifest.tables:
        return {name: Table.from_json(fields) for name, fields in manifest.tables.items()}
    there = dict.fromkeys(file.partition("/")[0] for file in sorted(manifest.files))
    return {name: known[name] for name in there if name in known}


def _is_of(file: str, table: str) -> bool:
    return file.startswith(f"{table}/") and file.endswith(".parquet")
