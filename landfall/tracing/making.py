"""What made a table, by the manifests of the outputs that readers see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from targets.catalog import Catalog, Part
from targets.dataset import Dataset, Manifest
from targets.filesystem import FileSystem


@dataclass(frozen=True)
class Making:
    """What made a table.

    Attributes:
        by: ``load of <feed>`` or ``<workflow>/<action>``.
        builds: of the outputs that readers see.
        reads: the tables that were read; of a load, ``files of <feed>``.
        current: whether these are still the same as when they were read.
        drops: ids of the drops that it was made of.
        sql: the SELECT that made it; empty: none did.
    """

    table: str
    by: str
    builds: tuple[str, ...]
    reads: tuple[str, ...]
    current: bool
    drops: frozenset[str]
    sql: str = ""


def makings(fs: FileSystem, catalog: Catalog, table: str) -> list[Making]:
    """What made a table, first; then what made the tables that were read, each once."""
    found: dict[str, list[Making]] = {}
    left = [table]
    while left:
        name = left.pop(0)
        if name in found or name not in catalog.parts:
            continue
        found[name] = _makings(fs, catalog, name)
        left += [read for one in found[name] for read in one.reads if read in catalog.parts]
    drops = {name: frozenset(drop for one in its for drop in one.drops) for name, its in found.items()}
    return [_with_drops_below(one, drops) for its in found.values() for one in its]


def _makings(fs: FileSystem, catalog: Catalog, table: str) -> list[Making]:
    by: dict[tuple[str, str], list[Part]] = {}
    for part in catalog.parts[table]:
        by.setdefault((part.workflow, part.action or part.feed), []).append(part)
    return [
        _of_action(fs, catalog, table, f"{workflow}/{name}", parts) if workflow else _of_load(table, name, parts)
        for (workflow, name), parts in by.items()
    ]


def _of_load(table: str, feed: str, parts: Iterable[Part]) -> Making:
    parts = list(parts)
    builds = tuple(dict.fromkeys(part.build for part in parts))
    drops = frozenset(part.drop for part in parts)
    return Making(table, f"load of {feed}", builds, (f"files of {feed}",), True, drops)


def _of_action(fs: FileSystem, catalog: Catalog, table: str, by: str, parts: list[Part]) -> Making:
    outputs = {part.output: part for part in parts}
    manifests = [Dataset(fs, output).manifest() for output in outputs]
    read: dict[str, set[str]] = {}
    for manifest in manifests:
        for name, identities in _read(manifest).items():
            read.setdefault(name, set()).update(identities)
    current = all(set(catalog.identity(name)) == its for name, its in read.items() if name in catalog.parts)
    drops = {identity.split("/")[1] for its in read.values() for identity in its if identity.count("/") == 2}
    drops |= {part.drop for part in parts if part.drop}
    builds = tuple(dict.fromkeys(part.build for part in parts))
    sql = str(manifests[-1].settings.get("sql") or "")
    return Making(table, by, builds, tuple(read), current, frozenset(drops), sql)


def _read(manifest: Manifest) -> Mapping[str, Iterable[str]]:
    """The identities of the parts of each table that was read."""
    said: Any = manifest.settings.get("read")
    return said if isinstance(said, dict) else dict.fromkeys(manifest.inputs, ())


def _with_drops_below(one: Making, drops: Mapping[str, frozenset[str]]) -> Making:
    """The making with the drops of the marts that it read."""
    below = frozenset(drop for read in one.reads for drop in drops.get(read, ()))
    return one if one.by.startswith("load of ") or one.drops else Making(**{**one.__dict__, "drops": below})
