"""Lines whose key comes again, held against a search that looks at every pair."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conf.feeds import RecordsFeed, feed_config
from spark_jobs.records.repeats import Keys, Repeats, key, key_schema
from spark_jobs.records.scratch import numbered, rows_in
from targets.local import LocalFileSystem

FS = LocalFileSystem()
# Names that a query might take for its own, and one that is a word of SQL.
COLUMNS = [{"name": "place"}, {"name": "weight", "type": "double"}, {"name": "order", "type": "decimal(4,1)"}]
TEXTS = (None, "", "a", "A", "a\0", "a\0b", "é", "e\u0301", "\U0001f600", "a ")
WEIGHTS = (None, 0.0, -0.0, 0.1, 1e300)


def feed_of(**changes: Any) -> RecordsFeed:
    found = feed_config({"kind": "records", "key": ["place", "order"], "columns": COLUMNS, **changes})
    assert isinstance(found, RecordsFeed)
    return found


def lines_of(chance: random.Random, count: int) -> list[dict[str, Any]]:
    """Lines in the order of the drop: two entries, ranges of a few lines each."""
    return [
        {
            "_range": number // 7,
            "entry": number // (count // 2 + 1),
            "line": number % (count // 2 + 1) * 2 + 2,
            "corrects_drop": chance.choice((None, "d")),
            "corrects_line": None,
            "place": chance.choice(TEXTS),
            "weight": chance.choice(WEIGHTS),
            "order": pa.scalar(chance.randrange(4), pa.decimal128(4, 1)).as_py(),
        }
        for number in range(count)
    ]


def written(directory: Path, schema: pa.Schema, lines: list[dict[str, Any]], files: int) -> str:
    directory.mkdir()
    for number in range(files):
        pq.write_table(pa.Table.from_pylist(lines[number::files], schema), directory / f"{number}.parquet")
    return str(directory)


def wanted(lines: list[dict[str, Any]], of: RecordsFeed) -> dict[tuple[int, int], tuple[int, int]]:
    """By each line that another stands for that other one."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for line in lines:
        alike = [one for one in lines if all(one[name] == line[name] for name in key(of))]
        kept = alike[-1 if of.on_duplicate == "last" else 0]
        if kept is not line:
            found[line["entry"], line["line"]] = kept["entry"], kept["line"]
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "changes", [{}, {"on_duplicate": "last"}, {"key": []}, {"key": ["place"]}], ids=["first", "last", "whole", "one"]
)
def test_it_finds_what_a_look_at_every_pair_finds(changes: dict[str, Any], seed: int, tmp_path: Path) -> None:
    of, chance = feed_of(**changes), random.Random(seed)
    lines = lines_of(chance, 60)
    bad = [line for line in lines[:40] if chance.random() < 0.2]
    good = [line for line in lines if line not in bad]
    schema = key_schema(of)
    keys = [
        Keys(written(tmp_path / "sure", schema, lines[:40], 3), written(tmp_path / "bad", schema, bad, 2)),
        Keys(written(tmp_path / "texts", schema, lines[40:], 1)),
    ]
    repeats = Repeats(FS, of, keys, str(tmp_path / "goal"), 3)
    (tmp_path / "goal").mkdir()
    counts = [repeats.write(share) for share in range(3)]
    found = [row for file in (tmp_path / "goal").iterdir() for row in pq.read_table(file).to_pylist()]
    stands = {(row["entry"], row["line"]): (row["_first_entry"], row["_first_line"]) for row in found}
    assert stands == wanted(good, of)
    assert sum(counts) == len(found) > 0
    by_place = {(line["entry"], line["line"]): line for line in lines}
    for row in found:
        line = by_place[row["entry"], row["line"]]
        assert {name: row[name] for name in repeats.schema.names[:-2]} == {
            name: line[name] for name in repeats.schema.names[:-2]
        }


def test_where_no_key_comes_twice_nothing_is_written(tmp_path: Path) -> None:
    of = feed_of(key=["order"])
    lines = lines_of(random.Random(1), 4)
    for number, line in enumerate(lines):
        line["order"] = pa.scalar(number, pa.decimal128(4, 1)).as_py()
    keys = [Keys(written(tmp_path / "sure", key_schema(of), lines, 1))]
    repeats = Repeats(FS, of, keys, str(tmp_path / "goal"), 1)
    assert repeats.write(0) == 0
    assert not (tmp_path / "goal").exists()


def test_what_is_kept_of_some_ranges_is_found_in_whatever_files_it_lies(tmp_path: Path) -> None:
    lines = lines_of(random.Random(3), 90)
    directory = written(tmp_path / "kept", key_schema(feed_of()), lines, 4)
    ranges = range(3, 6)
    some = [line for line in lines if line["_range"] in ranges]
    table = pa.Table.from_pylist(some, key_schema(feed_of()))
    places = numbered(table, ranges).tolist()
    assert len(set(places)) == len(some) == 21
    assert sorted(numbered(rows_in(FS, directory, ranges), ranges).tolist()) == sorted(places)
