"""Rows of a table -> its files by period, as a Spark worker writes them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# The directory of rows that lie in no period has the name that Hive and Spark give it.
_NONE = "__HIVE_DEFAULT_PARTITION__"
FORMATS = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}
# A period's rows are kept until they make a row group, but not more than so many bytes of all periods together.
_GROUP_ROWS = 100_000
_HELD_BYTES = 128 << 20


def write_by_period(
    tables: Iterable[pa.Table], by: tuple[str, str], new_file: Callable[[str], BinaryIO], held: ExitStack
) -> int:
    """Writes rows to one file a period; returns how many there were.

    Args:
        by: the date or timestamp whose period it is; and ``day``, ``month`` or ``year``.
        new_file: opens the file of a period, such as ``2026-11``.
        held: closes what was opened.
    """
    files = _Files(new_file, held)
    total = 0
    for table in tables:
        total += table.num_rows
        for name, part in _parted(table, *by):
            files.add(name, part)
    files.flush()
    return total


def _parted(table: pa.Table, column: str, period: str) -> Iterable[tuple[str, pa.Table]]:
    moments = pc.floor_temporal(table[column].combine_chunks(), unit=period).dictionary_encode()
    names = pc.fill_null(pc.strftime(moments.dictionary, format=FORMATS[period]), _NONE).to_pylist()
    if moments.null_count:
        yield _NONE, table.filter(pc.is_null(moments))
    for number, name in enumerate(names):
        yield name, table.filter(pc.equal(moments.indices, number))


class _Files:
    """The files of periods, each with the rows that wait for it."""

    def __init__(self, new_file: Callable[[str], BinaryIO], held: ExitStack) -> None:
        self._new_file, self._held = new_file, held
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._waiting: dict[str, list[pa.Table]] = defaultdict(list)
        self._rows: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    def add(self, name: str, rows: pa.Table) -> None:
        self._waiting[name].append(rows)
        self._rows[name] += rows.num_rows
        self._bytes[name] += rows.nbytes
        if self._rows[name] >= _GROUP_ROWS:
            self._write(name)
        while self._bytes.total() > _HELD_BYTES:
            self._write(self._bytes.most_common(1)[0][0])

    def flush(self) -> None:
        for name in sorted(self._waiting):
            self._write(name)

    def _write(self, name: str) -> None:
        rows = pa.concat_tables(self._waiting.pop(name)).combine_chunks()
        del self._rows[name], self._bytes[name]
        if name not in self._writers:
            self._writers[name] = self._held.enter_context(pq.ParquetWriter(self._new_file(name), rows.schema))
        self._writers[name].write_table(rows)
