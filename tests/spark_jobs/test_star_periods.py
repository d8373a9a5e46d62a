"""Every row lies in the file of its period."""

from __future__ import annotations

import io
from collections import defaultdict
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_jobs.star import periods
from spark_jobs.star.periods import FORMATS, write_by_period

NONE = "__HIVE_DEFAULT_PARTITION__"
moments = st.one_of(st.none(), st.datetimes(datetime(1960, 1, 1), datetime(1975, 1, 1)))


def written(tables: list[list[datetime | None]], period: str) -> dict[str, list[tuple[int, datetime | None]]]:
    """The rows (a number, a moment) of each file that some tables of moments become."""
    kept: dict[str, bytes] = {}

    class File(io.BytesIO):
        """Kept when it is closed."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.kept_as = name

        def close(self) -> None:
            kept[self.kept_as] = self.getvalue()
            super().close()

    def new_file(name: str) -> BinaryIO:
        return held.enter_context(File(name))

    number = iter(range(10_000))
    made = [
        pa.table({"number": [next(number) for _ in some], "at": pa.array(some, pa.timestamp("us"))}) for some in tables
    ]
    with ExitStack() as held:
        assert write_by_period(made, ("at", period), new_file, held) == sum(map(len, tables))
    read = {name: pq.read_table(io.BytesIO(data)).to_pylist() for name, data in kept.items()}
    return {name: [(row["number"], row["at"]) for row in rows] for name, rows in read.items()}


@settings(deadline=None)
@given(st.lists(st.lists(moments, max_size=20), max_size=4), st.sampled_from(list(FORMATS)))
def test_each_row_is_in_the_file_of_its_period(tables: list[list[datetime | None]], period: str) -> None:
    wanted = defaultdict(list)
    for number, moment in enumerate(moment for some in tables for moment in some):
        wanted[moment.strftime(FORMATS[period]) if moment else NONE].append((number, moment))
    assert written(tables, period) == wanted


@pytest.mark.parametrize(("constant", "bound"), [("_GROUP_ROWS", 3), ("_HELD_BYTES", 100)])
def test_rows_do_not_wait_for_ever(constant: str, bound: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periods, constant, bound)
    groups: list[int] = []
    write = pq.ParquetWriter.write_table

    def counted(self: pq.ParquetWriter, table: pa.Table) -> None:
        groups.append(table.num_rows)
        write(self, table)

    monkeypatch.setattr(pq.ParquetWriter, "write_table", counted)
    start = datetime(2026, 1, 1)
    tables: list[list[datetime | None]] = [[start + timedelta(days=day) for day in range(4)] for _ in range(12)]
    found = written(tables, "day")
    assert {name: [number for number, _ in rows] for name, rows in found.items()} == {
        f"2026-01-0{day + 1}": list(range(day, 48, 4)) for day in range(4)
    }
    assert len(groups) > 4
