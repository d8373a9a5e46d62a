"""What is proposed of a sample does to its rows what was announced."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.landfall.onboarding.test_proposal import HEADER, feed, proposed, rows, written
from tests.spark_jobs.records.drops import validated


def damaged() -> list[list[str]]:
    """Rows with faults of several kinds, and some that come again."""
    made, body = random.Random(3), rows(600)
    for row in made.sample(body[::2], 8):
        row[made.choice([0, 2, 3, 4, 5, 7])] = made.choice(["??", "", "31.02.2025", "1e5", "1,5", " 7 ", "\u00a0"])
    return [*body, *made.sample(body, 5)]


def spreadsheet() -> str:
    """Dates as spreadsheets write them, credits below nothing, texts for no value."""
    made = random.Random(9)
    lines = [
        f"{536365 + at // 4},{made.choice('ABC')}{made.randint(10000, 99999)},{made.randint(-3, 40)},"
        f"{made.randint(1, 12)}/{made.randint(1, 28)}/2010 {made.randint(0, 23)}:{made.randint(0, 59):02},"
        f"{made.random() * 20:.2f},{made.choice(['', 'N/A', str(17850 + at % 90)])},{made.choice(['y', 'n'])}"
        for at in range(500)
    ]
    return "\n".join(["InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID,Paid", *lines]) + "\n"


def json_lines() -> str:
    made = random.Random(4)
    lines = [
        json.dumps(
            {"id": at, "price": made.randint(1, 999) / 8, "when": f"2026-0{at % 9 + 1}-01", "tag": "x" * (at % 3)}
        )
        for at in range(300)
    ]
    lines[7] = lines[8]
    return "\n".join([*lines, "[1]", '{"id": "x", "price": null}', "{broken"]) + "\n"


SAMPLES = {
    "damaged": (
        written(HEADER, damaged(), ";") + 'too;few\n"ab1"x;DE;1;1.00;01.01.2025;2025-01-01T10:00:00;a;true;00001;1\n'
    ).encode(),
    "no header, other quote, latin": written(None, rows(300), "|", "'").replace("word", "Wört").encode("cp1252"),
    "spreadsheet": spreadsheet().replace("\n", "\r\n").encode(),
    "json lines": json_lines().encode(),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_rows_become_what_was_announced(spark: SparkSession, tmp_path: Path, name: str) -> None:
    found = proposed(tmp_path, SAMPLES[name])
    counts = validated(spark, tmp_path / "out", SAMPLES[name], of=feed(found)).counts
    accepted = found.rows - found.quarantined - found.duplicate
    assert (counts.ok, counts.quarantined, counts.duplicate) == (accepted, found.quarantined, found.duplicate)
    assert accepted >= 0.9 * found.rows
