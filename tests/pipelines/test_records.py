"""A feed of records as an operator and a client see it: real runs with faults, redrops, held drops, a replay, kills."""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from landfall.sample_web import SampleWeb
from targets.journal import Journal
from tests.installation import Installation
from tests.pipelines.orders import CORRECTED, FIRST, HEADER, ORDERS

# Keys that come once over all drops.
CODES = """
kind = "records"
format = "jsonl"
key = ["code"]
unique = "always"
columns = [{ name = "code" }, { name = "n", type = "long" }]
"""
# A feed that is held when a tenth of a file is wrong.
STRICT = """
kind = "records"
delimiter = ";"
quote = "'"
encoding = "windows-1252"
max_rejected = "10%"
columns = [{ name = "name" }, { name = "n", type = "int", required = true }]
"""
PART, OTHER_PART = HEADER + b"o7,NL,2026-09-01,1,1.00\n", HEADER + b"o8,NL,2026-09-02,1,x\no7,NL,2026-09-03,9,9.00\n"


def zipped(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return packed.getvalue()


def drop_orders(to: Installation) -> None:
    """Three drops, of which the second corrects the first; they are taken in order of arrival."""
    for name, content in (
        ("1.csv", FIRST),
        ("2.csv.gz", gzip.compress(CORRECTED, mtime=0)),
        ("3.zip", zipped(a=PART, b=OTHER_PART)),
    ):
        to.upload(name, content, "orders")


@pytest.fixture(scope="module")
def done(installed: Callable[[str], Installation], web: SampleWeb) -> Installation:
    """A client with both kinds of feeds has been run once; one of its drops is held."""
    made = installed("records")
    made.add_feed("orders", ORDERS)
    made.add_feed("codes", CODES)
    made.add_feed("strict", STRICT)
    made.upload("catalogue.txt", f"{web.url}/id/1/40/30\n{web.url}/id/2/40/30\n".encode())
    drop_orders(made)
    for number, codes in enumerate(("ab", "bc", "cd")):
        lines = "".join(json.dumps({"code": code, "n": number}) + "\n" for code in codes)
        made.upload(f"{number}.jsonl", lines.encode(), "codes")
    made.upload("held.csv", "name;n\n'Zo\u00eb; the first';1\nTim;x\n".encode("windows-1252"), "strict")
    ran = made.run()
    assert ran.returncode == 30, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
    return made


def by_name(done: Installation, feed: str) -> dict[str, Any]:
    return {receipt["name"]: receipt for receipt in done.receipts(feed)}


def test_every_line_has_exactly_one_outcome(done: Installation) -> None:
    receipts = by_name(done, "orders")
    assert receipts["1.csv"]["counts"] == {
        "lines": 5, "ok": 2, "quarantined": 2, "duplicate": 1, "blank": 1, "warned": 1,
    }  # fmt: skip
    assert receipts["2.csv.gz"]["counts"]["ok"] == 1
    assert receipts["3.zip"]["counts"] == {
        "lines": 3, "ok": 1, "quarantined": 1, "duplicate": 1, "blank": 0, "warned": 0,
    }  # fmt: skip
    told = done.rows(
        "SELECT d.name, outcome, count(*) AS lines FROM fact_orders_line JOIN dim_drop d USING (drop_key) "
        "WHERE d.feed = 'orders' GROUP BY ALL ORDER BY ALL"
    )
    assert [tuple(row.values()) for row in told] == [
        ("1.csv", "duplicate", 1), ("1.csv", "ok", 1), ("1.csv", "quarantined", 2),
        ("3.zip", "duplicate", 1), ("3.zip", "quarantined", 1),
    ]  # fmt: skip


def test_a_receipt_tells_rules_by_column_and_warnings(done: Installation) -> None:
    first = by_name(done, "orders")["1.csv"]
    columns = {(one["column"], one["rule"]): one["lines"] for one in first["columns"]}
    assert columns == {("country", "value.one_of"): 1, ("order_id", "value.pattern"): 1, ("quantity", "value.min"): 1}
    assert [(one["rule"], one["lines"]) for one in first["warnings"]] == [("row.cheap", 1)]


def test_rejects_name_every_fault_in_the_clients_own_columns(done: Installation) -> None:
    first = by_name(done, "orders")["1.csv"]
    text = (done.outbox.parent / "orders" / first["rejects"]).read_text(encoding="utf-8")
    bad, short = csv.DictReader(io.StringIO(text))
    assert list(bad) == [
        "Order ID", "country", "ordered_at", "quantity", "price", "_line", "_rule", "_message", "_fix", "_drop",
    ]  # fmt: skip
    assert (bad["Order ID"], bad["_line"], bad["_drop"]) == ("bad", "3", first["drop"])
    assert bad["_rule"] == "value.pattern; value.one_of; value.min"
    assert (short["Order ID"], short["_line"], short["_rule"]) == ("short", "7", "csv.columns")


def test_a_correction_is_counted_once(done: Installation) -> None:
    found = done.rows("SELECT order_id, country, quantity, total, line FROM fact_orders ORDER BY order_id")
    assert [tuple(row.values()) for row in found] == [
        ("o1", "BE", 4, "14.00", 2),
        ("o2", "BE", 1, "2000.00", 4),
        ("o7", "NL", 1, "1.00", 2),
    ]
    joined = done.rows(
        "SELECT c.country, count(*) AS n FROM fact_orders JOIN dim_country c USING (country_key) GROUP BY 1"
    )
    assert {row["country"]: row["n"] for row in joined} == {"BE": 2, "NL": 1}


def test_event_time_is_below_the_table_and_receipt_time_above(done: Installation) -> None:
    drop = by_name(done, "orders")["1.csv"]["drop"]
    [table] = done.lake.glob(f"analytics-ready/orders/load/year=*/month=*/drop={drop}/build=*/fact_orders")
    assert sorted(path.name for path in table.glob("*=*")) == ["ordered_at_month=2026-10", "ordered_at_month=2026-11"]


def test_a_key_that_came_in_an_earlier_drop_is_a_duplicate_and_the_manifest_says_what_was_compared(
    done: Installation,
) -> None:
    found = done.rows("SELECT code, n FROM fact_codes ORDER BY code")
    assert [(row["code"], row["n"]) for row in found] == [("a", 0), ("b", 0), ("c", 1), ("d", 2)]
    receipts = by_name(done, "codes")
    assert [receipts[f"{n}.jsonl"]["counts"]["duplicate"] for n in range(3)] == [0, 1, 1]
    [manifest] = done.lake.glob(f"processed/codes/validate/**/drop={receipts['2.jsonl']['drop']}/*/_manifest.json")
    compared = [drop for drop, _ in json.loads(manifest.read_text())["settings"]["earlier"]]
    assert compared == [receipts["0.jsonl"]["drop"], receipts["1.jsonl"]["drop"]]


def test_both_kinds_stand_side_by_side(done: Installation) -> None:
    tables = json.loads(done.landfall("tables", "--client", done.client, "--json").stdout)
    rows = {table["table"]: table["rows"] for table in tables}
    assert (rows["fact_image_request"], rows["fact_orders"], rows["fact_codes"], rows["dim_drop"]) == (2, 3, 4, 7)


@pytest.mark.slow
def test_an_image_store_is_rebuilt_beside_feeds_of_records(done: Installation) -> None:
    rebuilt = done.landfall("images", "rebuild", "--client", done.client)
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr


def test_a_profile_is_kept(done: Installation) -> None:
    drop = by_name(done, "orders")["1.csv"]["drop"]
    shown = done.landfall("profile", "--client", done.client, "--feed", "orders", "--drop", drop[:8], "--json")
    said = json.loads(shown.stdout)
    assert (said["drop"], said["lines"], said["ok"]) == (drop, 5, 2)
    columns = {column["name"]: column for column in said["columns"]}
    assert (columns["total"]["min"], columns["total"]["max"]) == ("7.00", "2000.00")
    table = done.landfall("profile", "--client", done.client, "--feed", "orders")
    assert table.returncode == 0, table.stderr
    assert "order_id" in table.stdout
    none = done.landfall("profile", "--client", done.client, "--feed", "photos")
    assert (none.returncode, "Only records have one" in none.stderr) == (66, True)


@pytest.mark.slow
def test_check_says_the_same_before_anything_is_dropped(done: Installation, tmp_path: Path) -> None:
    done.add_feed("orders", ORDERS)  # whatever another test made of it
    file = tmp_path / "first.csv"
    file.write_bytes(FIRST)
    checked = done.landfall("check", done.client, "orders", str(file), "--format", "json")
    assert checked.returncode == 1, checked.stderr
    said = json.loads(checked.stdout)
    assert (said["lines"], said["ok"], said["quarantined"], said["duplicate"], said["blank"]) == (5, 2, 2, 1, 1)
    assert {one["rule"]: one["lines"] for one in said["rules"]} == {
        "ok": 2, "value.pattern": 1, "csv.columns": 1, "duplicate.in_drop": 1,
    }  # fmt: skip


@pytest.fixture(scope="module")
def released(done: Installation) -> dict[str, Any]:
    """The held drop has been let go on, after its feed was mended; how it stood before."""
    [standing] = json.loads(done.landfall("status", "--client", done.client, "--json").stdout)
    [held] = [drop for drop in standing["drops"] if drop["state"] != "published"]
    done.add_feed("strict", STRICT.replace("10%", "50%"))
    again = done.run()
    asked = done.landfall("replay", "--client", done.client, "--feed", "strict")
    assert asked.returncode == 0, asked.stderr
    ran = done.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return {**held, "again": again.returncode}


@pytest.mark.slow
def test_a_held_drop_is_told_and_a_replay_lets_it_go_on(done: Installation, released: dict[str, Any]) -> None:
    assert (released["feed"], released["state"], released["at"]) == ("strict", "held", "validate")
    assert "10" in released["wrong"]
    assert [stage["stage"] for stage in released["stages"]] == ["land", "validate", "load", "publish"]
    assert released["again"] == 30  # a drop that is registered keeps its configuration
    [receipt] = done.receipts("strict")
    assert (receipt["counts"]["ok"], receipt["counts"]["quarantined"]) == (1, 1)
    assert [row["name"] for row in done.rows("SELECT name FROM fact_strict")] == ["Zo\u00eb; the first"]


@pytest.mark.slow
@pytest.mark.usefixtures("released")
def test_history_is_replayed_as_a_new_revision(done: Installation) -> None:
    """Other settings give new builds beside the old; bytes whose upload is long answered are taken from the lake."""
    drop = by_name(done, "orders")["1.csv"]["drop"]
    done.add_feed("orders", ORDERS.replace(', pattern = "o[0-9]+"', "") + 'encoding = "iso-8859-1"\n')
    asked = done.landfall("replay", "--client", done.client, "--feed", "orders", "--drop", drop[:10])
    assert asked.returncode == 0, asked.stderr
    ran = done.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    published = sorted((done.lake / "published/orders").rglob(f"{drop}.*"))
    assert [json.loads(entry.read_text())["revision"] for entry in published] == [0, 1]
    for stage in ("raw/orders/land", "processed/orders/validate"):
        assert len(list(done.lake.glob(f"{stage}/year=*/month=*/drop={drop}/build=*"))) == 2
    told = done.rows("SELECT line, len(faults) AS faults FROM fact_orders_line WHERE rule = 'value.one_of'")
    assert [(row["line"], row["faults"]) for row in told] == [(3, 2)]
    assert done.run().returncode == 0  # and there is nothing left to do
    assert len(list((done.lake / "published/orders").rglob(f"{drop}.*"))) == 2


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_kill_in_validate_and_in_load_is_harmless(installed: Callable[[str], Installation]) -> None:
    calm, killed = installed("records-calm"), installed("records-killed")
    for each in (calm, killed):
        each.add_feed("orders", ORDERS)
        drop_orders(each)
    assert calm.run().returncode == 0
    for stage in ("validate", "load"):
        kill_in(killed, stage)
    ran = killed.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert killed.digest() == calm.digest()
    assert [one["counts"] for one in killed.receipts("orders")] == [one["counts"] for one in calm.receipts("orders")]
    assert not any((killed.lake / "_staging").iterdir())
    assert not list((killed.lake / "_leases").iterdir())


def kill_in(installation: Installation, stage: str) -> None:
    """Starts a run and kills its tree as soon as its next attempt of a stage has begun."""

    def attempts() -> list[str]:
        journal = Journal(installation.home / "logs" / installation.client / "journal.jsonl")
        return [entry["event"] for entry in journal.entries() if entry["stage"] == stage]

    before = len(attempts())
    process = installation.start()
    tree = psutil.Process(process.pid)
    while process.poll() is None and len(attempts()) == before:
        time.sleep(0.01)
    assert process.poll() is None
    children = tree.children(recursive=True)
    for one in (tree, *children):
        one.kill()
    process.wait()
    psutil.wait_procs(children)
    assert attempts()[-1] == "started"
