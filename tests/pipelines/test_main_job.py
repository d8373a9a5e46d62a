"""The main job as an operator and a client see it: one run, then what everybody finds."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable

import pytest

from landfall.sample_web import SampleWeb, catalogue
from landfall.sample_web.catalogue import Line
from tests.installation import Installation

LINES = 1000
SEED = 20261121


@pytest.fixture(scope="module")
def lines(web: SampleWeb) -> list[Line]:
    return catalogue(web.url, LINES, seed=SEED)


@pytest.fixture(scope="module")
def done(installed: Callable[[str], Installation], lines: list[Line]) -> Installation:
    """An installation that has taken a catalogue of 1,000 lines with every kind of fault."""
    made = installed("main-job")
    made.upload("catalogue.txt", b"".join(line.content + b"\n" for line in lines))
    ran = made.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return made


def test_every_line_has_the_outcome_that_was_intended(done: Installation, lines: list[Line]) -> None:
    found = {row["line"]: row["rule"] for row in done.rows("SELECT line, rule FROM fact_image_request")}
    wrong = {
        number: (line.rule, found.get(number), line.content[:120])
        for number, line in enumerate(lines, 1)
        if found.get(number) != line.rule
    }
    assert not wrong
    assert len(found) == len(lines)


def test_one_receipt_that_adds_up(done: Installation, lines: list[Line]) -> None:
    (receipt,) = done.receipts()
    rules = Counter(line.rule for line in lines)
    counts = receipt["counts"]
    assert receipt["status"] == "published"
    assert counts["lines"] == LINES == counts["ok"] + counts["quarantined"] + counts["duplicate"]
    assert (counts["ok"], counts["duplicate"]) == (rules["ok"], rules["duplicate.in_drop"])
    assert {"ok": rules["ok"], **{rule["rule"]: rule["lines"] for rule in receipt["rules"]}} == dict(rules)
    assert list(done.incoming.iterdir()) == []


def test_every_rejected_row_is_explained(done: Installation, lines: list[Line]) -> None:
    (receipt,) = done.receipts()
    rows = list(csv.DictReader(io.StringIO((done.outbox / receipt["rejects"]).read_text(encoding="utf-8"))))
    rejected = [(str(number), line.rule) for number, line in enumerate(lines, 1) if _is_rejected(line)]
    assert [(row["_line"], row["_rule"]) for row in rows] == rejected
    assert all(row["_message"] and row["_fix"] and row["_drop"] == receipt["drop"] for row in rows)


def test_the_same_bytes_again_fetch_nothing(done: Installation, lines: list[Line], web: SampleWeb) -> None:
    before, asked = done.digest(), web.tally.total
    done.upload("again.txt", b"".join(line.content + b"\n" for line in lines))
    assert done.run().returncode == 0
    assert web.tally.total == asked
    assert done.digest() == before
    again, first = done.receipts()
    assert again["status"] == "received before"
    assert again["first"] == {name: first[name] for name in ("upload", "name", "received")}
    assert again["counts"] == first["counts"]


def test_pictures_are_gray_and_sound(done: Installation) -> None:
    assert done.landfall("images", "verify", "--client", done.client).returncode == 0


def test_mended_rejects_are_the_only_new_work(done: Installation, web: SampleWeb) -> None:
    first = next(receipt for receipt in done.receipts() if receipt["status"] == "published")
    text = (done.outbox / first["rejects"]).read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    mended = io.StringIO(newline="")
    writer = csv.DictWriter(mended, rows[0].keys())
    writer.writeheader()
    for row in rows[:20]:
        writer.writerow({**row, "url": f"{web.url}/id/5/50/60?mended={row['_line']}"})
    done.upload("mended.csv", mended.getvalue().encode())
    assert done.run().returncode == 0
    found = done.rows(
        "SELECT corrects_drop, corrects_line, rule FROM fact_image_request"
        " WHERE corrects_drop IS NOT NULL ORDER BY line"
    )
    assert [(row["corrects_drop"], row["corrects_line"]) for row in found] == [
        (first["drop"], row["_line"]) for row in rows[:20]
    ]
    assert {row["rule"] for row in found} == {"ok"}


def test_the_aggregate_follows_every_drop(done: Installation) -> None:
    by_drop = "SELECT drop_key, rule, {} AS lines FROM {} GROUP BY ALL ORDER BY ALL"
    found = done.rows(by_drop.format("sum(requests)::BIGINT", "agg_images_daily"))
    assert found == done.rows(by_drop.format("count(*)", "fact_image_request"))
    assert len({row["drop_key"] for row in found}) == len(done.rows("SELECT drop FROM dim_drop"))


def _is_rejected(line: Line) -> bool:
    return line.rule not in ("ok", "duplicate.in_drop")


def test_a_drop_that_is_not_little_goes_the_same_way(installed: Callable[[str], Installation], web: SampleWeb) -> None:
    made, good, bad = installed("not-little"), 300, 31_000
    urls = [f"{web.url}/id/{number}/40/30?large" for number in range(good)]
    made.upload("catalogue.txt", "".join(f"{line}\n" for line in [*urls, *["nonsense"] * bad, urls[7]]).encode())
    ran = made.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    [receipt] = made.receipts()
    counts = receipt["counts"]
    assert (counts["lines"], counts["ok"], counts["quarantined"], counts["duplicate"]) == (31_301, good, bad, 1)
    assert made.landfall("images", "verify", "--client", made.client).returncode == 0
