"""Receipts, and the file of rejected rows."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conf.errors import UploadRefused
from conf.feeds import ImagesFeed
from conf.rules import RULES
from spark_jobs import receipt
from spark_jobs import rejected as rejected_rows
from spark_jobs.proof import Proof
from spark_jobs.rejected import Rejected
from spark_jobs.rejects import decode, encode
from tests.drop_tables import Row, drop, mixed, settled, write_stages

PROOF = Proof(7, 3, 3, 1, {"ok": 3, "duplicate.in_drop": 1, "csv.columns": 3})
AT = datetime(2026, 3, 1, 0, 0, 5, 123456, tzinfo=UTC)


def published(rejects: str | None = "rejects.csv") -> dict[str, object]:
    return receipt.published(drop(), PROOF, blank=2, counts={"images": 2}, details={}, published_at=AT, rejects=rejects)


def test_a_receipt_counts_every_line_and_says_what_to_do() -> None:
    made = json.loads(json.dumps(published()))
    assert made["counts"] == {"lines": 7, "ok": 3, "quarantined": 3, "duplicate": 1, "blank": 2, "images": 2}
    assert made["summary"] == "3 of 7 lines accepted, 3 quarantined (see the rejects), 1 the same as an earlier line."
    assert (made["status"], made["upload"], made["drop"]) == ("published", "u-1", drop().id)
    assert (made["received"], made["published"]) == ("2026-02-28T23:59:58+00:00", "2026-03-01T00:00:05+00:00")
    assert made["rules"] == [
        {
            "rule": "csv.columns",
            "outcome": "quarantined",
            "lines": 3,
            "message": "The row has … fields; the header has ….",
            "fix": RULES["csv.columns"].fix,
        },
        {
            "rule": "duplicate.in_drop",
            "outcome": "duplicate",
            "lines": 1,
            "message": "The same as line ….",
            "fix": RULES["duplicate.in_drop"].fix,
        },
    ]


def test_the_same_bytes_again_say_when_they_came_first() -> None:
    first = published()
    again = receipt.received_before(first, upload="u-2", name="again.txt", received=AT, rejects=None)
    assert (again["status"], again["upload"], again["name"]) == ("received before", "u-2", "again.txt")
    assert again["first"] == {"upload": "u-1", "name": "catalogue.txt", "received": "2026-02-28T23:59:58+00:00"}
    assert again["counts"] == first["counts"]
    assert again["rejects"] is None
    assert first["upload"] == "u-1"


@pytest.mark.parametrize(("fix", "said"), [("Do this.", "Do this."), ("", RULES["upload.empty"].fix)])
def test_a_refused_upload_is_told_why(fix: str, said: str) -> None:
    error = UploadRefused("upload.empty", "The file holds no bytes.", fix)
    made = receipt.refused(error, upload="u", client="demo", feed=None, name="x", received=AT)
    assert (made["status"], made["rule"], made["fix"]) == ("refused", "upload.empty", said)
    assert "The file holds no bytes." in str(made["summary"])


def rejected(
    root: Path, rows: list[Row], several: bool = False, header: list[str] | None = None, of=None
) -> list[dict[str, str]]:
    file = io.BytesIO()
    inputs = write_stages(root, of or drop(), validated=rows)
    count = Rejected.of_images(inputs, several, header or []).write(file, len(rows))
    text = file.getvalue().decode("utf-8")
    found = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=inputs.drop.config.delimiter))
    assert len(found) == count
    return found


def test_quarantined_lines_of_all_stages_are_rows_in_the_order_of_their_lines(tmp_path: Path) -> None:
    file = io.BytesIO()
    assert Rejected.of_images(mixed(tmp_path), False, []).write(file, 3) == 3
    header, *rows = csv.reader(io.StringIO(file.getvalue().decode(), newline=""))
    assert header == ["url", "_line", "_rule", "_message", "_fix", "_drop"]
    assert [(row[1], row[2]) for row in rows] == [
        ("3", "url.malformed"),
        ("5", "fetch.status"),
        ("6", "image.truncated"),
    ]
    assert rows[0][0] == "'=nonsense"  # as fields carry it: escaped already, and not once more
    assert {row[5] for row in rows} == {drop().id}


def test_columns_stand_as_in_the_header_and_unknown_ones_follow(tmp_path: Path) -> None:
    rows = [
        settled(1, "csv.columns", fields={"b": "1", "url": "u", "z": "3", "_line": "9"}),
        settled(2, "line.encoding", fields=None),
    ]
    found = rejected(tmp_path / "csv", rows, header=["b", "url", "a"])
    assert list(found[0]) == ["b", "url", "a", "z", "_line", "_rule", "_message", "_fix", "_drop"]
    assert [row["_line"] for row in found] == ["1", "2"]
    assert (found[0]["b"], found[0]["a"], found[1]["url"]) == ("1", "", "")
    found = rejected(tmp_path / "json", rows)
    assert list(found[0])[:3] == ["url", "b", "z"]


def test_a_line_that_was_not_taken_apart_stands_under_the_headers_url(tmp_path: Path) -> None:
    rows = [
        settled(1, "csv.columns", fields={"url": "a,b,c"}),
        settled(2, "url.scheme", fields={"n": "1", " URL": "ftp://x"}),
    ]
    found = rejected(tmp_path / "csv", rows, header=["n", " URL"])
    assert list(found[0])[:3] == ["n", " URL", "_line"]
    assert [row[" URL"] for row in found] == ["a,b,c", "ftp://x"]
    found = rejected(tmp_path / "json", rows)
    assert [(row["url"], row["n"]) for row in found] == [("a,b,c", ""), ("ftp://x", "1")]
    found = rejected(tmp_path / "other", rows[:1], header=["n"])
    assert list(found[0])[:2] == ["url", "n"]


def test_a_column_may_be_called_anything(tmp_path: Path) -> None:
    [row] = rejected(tmp_path, [settled(1, "url.scheme", fields={"url": "u", "=1+1": "x", 'a,"b\n': "y"})])
    assert row["'=1+1"] == "x"
    assert row['a,"b\n'] == "y"


def test_the_rarest_of_too_many_columns_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejected_rows, "_MOST_COLUMNS", 3)
    rows = [settled(line, "url.scheme", fields={"url": "u", "often": "1", f"k{line}": "2"}) for line in range(1, 9)]
    found = rejected(tmp_path, rows)
    assert list(found[0])[:3] == ["url", "k1", "often"]


def test_entries_and_the_feeds_delimiter(tmp_path: Path) -> None:
    semicolon = drop(config=ImagesFeed(kind="images", sources=("picsum.photos",), delimiter=";"))
    rows = [settled(2, "url.scheme", entry=1), settled(10, "url.scheme"), settled(9, "url.scheme")]
    found = rejected(tmp_path, rows, several=True, of=semicolon)
    assert [decode(row["_line"]) for row in found] == ["0:9", "0:10", "1:2"]


def test_nothing_that_is_added_is_a_formula(tmp_path: Path) -> None:
    message = "=cmd|'/c calc'!A0"
    [row] = rejected(tmp_path, [settled(1, "url.scheme", message=message)])
    assert row["_message"] == encode(message)
    assert not row["_message"].startswith("=")
    assert decode(row["_message"]) == message


def test_many_rows_come_in_batches_and_stay_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejected_rows, "_BATCH_ROWS", 50)
    lines = list(range(1, 400))
    rows = [settled(line, "url.scheme", entry=line % 2) for line in reversed(lines)]
    found = rejected(tmp_path, rows, several=True)
    assert [row["_line"] for row in found] == [
        encode(f"{entry}:{line}") for entry in (0, 1) for line in lines if line % 2 == entry
    ]


@given(cells=st.lists(st.text(max_size=8), min_size=1, max_size=20))
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_cell_comes_back(tmp_path_factory: pytest.TempPathFactory, cells: list[str]) -> None:
    rows = [settled(line, "url.scheme", fields={"url": encode(cell)}) for line, cell in enumerate(cells, 1)]
    found = rejected(tmp_path_factory.mktemp("cells"), rows)
    assert [decode(row["url"]) for row in found] == cells


def test_without_rejects_there_is_a_header_only(tmp_path: Path) -> None:
    assert rejected(tmp_path, [settled(4, "duplicate.in_drop")]) == []
