"""What tables say of each line of a drop, added up by DuckDB in workers, who share the lines by hash."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from spark_jobs.duck import database
from spark_jobs.files import paths_below, read_batches
from spark_jobs.session import tasks_at_once
from spark_jobs.workers import Workers, do_in_workers
from targets.filesystem import FileSystem

# Each who adds up reads all tables, and keeps so many lines of them.
_SHARE_LINES = 1_000_000
_SHOWN = 10
_BETWEEN = "\0"
_SOURCES = ("asked", "settled", "told")
_READ = pa.schema([("entry", pa.int32()), ("line", pa.int64()), ("source", pa.int8()), ("said", pa.int32())])
# Of each line which source says how often something of it, and what.
_BY_LINE = """
    CREATE TEMP TABLE by_line AS SELECT entry, line, count(*) FILTER (source = 0) AS asked,
        count(*) FILTER (source = 1) AS settled, max(said) FILTER (source = 1) AS outcome,
        count(*) FILTER (source = 2) AS told, max(said) FILTER (source = 2) AS told_outcome
    FROM said WHERE hash(entry, line) % $shares = $share GROUP BY entry, line"""
_ACCOUNTS = """
    CREATE TEMP TABLE accounts AS SELECT entry, line, outcome, CASE
        WHEN settled = 0 AND asked > 0 THEN 'missing'
        WHEN settled > 1 THEN 'twice'
        WHEN settled = 0 OR told <> 1 OR outcome IS DISTINCT FROM told_outcome THEN 'fact' END AS fault
    FROM by_line"""
_TOTALS = "SELECT fault, outcome, count(*) FROM accounts GROUP BY ALL"
_SOME = f"""
    SELECT fault, entry, line FROM accounts WHERE fault IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY fault ORDER BY entry, line) <= {_SHOWN}"""  # noqa: S608  # our own number


class Said(NamedTuple):
    """A table that says something of lines (entry, line).

    Attributes:
        source: ``asked``: the lines went on from Validate. ``settled``: as the stages settled them.
            ``told``: as readers get them.
        directory: path of its files, and of directories of them.
        columns: which of ``outcome`` and ``rule`` it has; the other is ``ok`` of all its lines.
        ok: whether only those lines count of which its first column is ``ok``, or only the others; None: all do.
    """

    source: str
    directory: str
    columns: tuple[str, ...] = ("outcome", "rule")
    ok: bool | None = None


class Total(NamedTuple):
    """How many lines have an outcome; ``fault``, null if they add up: ``missing``, ``twice`` or ``fact``."""

    fault: str | None
    outcome: str | None
    rule: str | None
    lines: int


class Accounts(NamedTuple):
    """All lines by fault, outcome and rule; and by fault the first lines that have it (entry, line)."""

    totals: list[Total]
    some: dict[str, list[tuple[int, int]]]


def add_up(workers: Workers, fs: FileSystem, tables: Sequence[Said], lines: int) -> Accounts:
    """What the tables say together.

    Args:
        lines: about how many there are.
    """
    shares = min(tasks_at_once(workers) if workers else 1, 1 + lines // _SHARE_LINES)
    rows = do_in_workers(workers, shares, shares, _Adding(fs, tables, shares).share, "said string")
    totals: Counter[tuple[str | None, ...]] = Counter()
    some: dict[str, list[tuple[int, int]]] = {}
    for row in rows:
        said = json.loads(row.said)
        for *what, count in said["totals"]:
            totals[tuple(what)] += count
        for fault, entry, line in said["some"]:
            some.setdefault(fault, []).append((entry, line))
    return Accounts(
        [Total(*what, count) for what, count in totals.items()],  # type: ignore[call-arg, arg-type]
        {fault: sorted(found)[:_SHOWN] for fault, found in some.items()},
    )


@dataclass(frozen=True)
class _Adding:
    fs: FileSystem
    tables: Sequence[Said]
    shares: int

    def share(self, number: int) -> pa.RecordBatch:
        codes: dict[str, int] = {}
        with database() as connection:
            connection.register("said", pa.RecordBatchReader.from_batches(_READ, self._read(codes)))
            connection.execute(_BY_LINE, {"shares": self.shares, "share": number})
            connection.execute(_ACCOUNTS)
            texts = [text.split(_BETWEEN) for text in codes]
            totals = [
                (fault, *((None, None) if outcome is None else texts[outcome]), count)
                for fault, outcome, count in connection.execute(_TOTALS).fetchall()
            ]
            some = connection.execute(_SOME).fetchall()
        return pa.RecordBatch.from_pydict({"said": [json.dumps({"totals": totals, "some": some})]})

    def _read(self, codes: dict[str, int]) -> Iterator[pa.RecordBatch]:
        """Every line of every table; ``said`` numbers outcome and rule, as ``codes`` learns meanwhile."""
        for table in self.tables:
            has_outcome = table.source != "asked"
            columns = ["entry", "line", *(table.columns if has_outcome else ())]
            for rows in read_batches(self.fs, paths_below(self.fs, table.directory), columns):
                some = rows
                if table.ok is not None:
                    is_ok = pc.equal(rows[table.columns[0]], "ok")
                    some = rows.filter(pc.fill_null(is_ok if table.ok else pc.invert(is_ok), not table.ok))
                said = _coded(some, codes) if has_outcome else pa.nulls(some.num_rows, pa.int32())
                source = pa.repeat(pa.scalar(_SOURCES.index(table.source), pa.int8()), some.num_rows)
                yield pa.RecordBatch.from_arrays([some["entry"], some["line"], source, said], schema=_READ)


def _coded(rows: pa.RecordBatch, codes: dict[str, int]) -> pa.Array:
    """Outcome and rule of each row as one number."""
    said = (rows[name] if name in rows.schema.names else pa.scalar("ok") for name in ("outcome", "rule"))
    # A table that readers get may hold a null; no stage can write one.
    joined = pc.binary_join_element_wise(*said, _BETWEEN, null_handling="replace", null_replacement="")
    texts = pa.array(joined, pa.string()) if isinstance(joined, pa.Array) else pa.repeat(joined, rows.num_rows)
    numbered = texts.dictionary_encode()
    found = [codes.setdefault(text, len(codes)) for text in numbered.dictionary.to_pylist()]
    return pa.array(found, pa.int32()).take(numbered.indices)
