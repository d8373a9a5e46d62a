"""Workflows on a real Spark session under a real Luigi worker: what is made, what is made again, and what is not."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from tests.pipelines.marts import House, forget
from tests.servers.waiting import until

pytestmark = pytest.mark.spark

ORDERS = [
    ("o1", "2026-10-01", "north", "10.00"),
    ("o2", "2026-10-01", "south", "5.50"),
    ("o3", "2026-10-02", "north", "1.00"),
]
MORE = [("o4", "2026-10-02", "south", "2.00"), ("o5", "2026-10-03", "=south", "4.00")]

DAILY = """
[[workflow.stages.actions]]
name = "daily"
kind = "aggregate"
sql_file = "daily.sql"
into = "mart_daily"
columns = { of_day = "date", orders = "long", amount = "decimal(12,2)" }
"""
THREE_STAGES = f"""
[[workflow]]
name = "sales"
after = ["orders"]
[[workflow.stages]]
{DAILY}
[[workflow.stages.actions]]
name = "regions"
kind = "aggregate"
sql = "SELECT region, count(*) AS orders FROM fact_orders GROUP BY region"
into = "mart_regions"
[[workflow.stages]]
[[workflow.stages.actions]]
name = "score"
kind = "python"
function = "acme_marts:score"
reads = ["mart_daily"]
into = "mart_score"
[[workflow.stages.actions]]
name = "mapped"
kind = "load"
from = "mart_regions"
into = "mart_mapped"
map = [
  {{ name = "name", from = "region", clean = ["upper"] }},
  {{ name = "twice", derive = "orders * 2", type = "long" }},
]
[[workflow.stages]]
[[workflow.stages.actions]]
name = "best"
kind = "aggregate"
sql = "SELECT max(score) AS best FROM mart_score"
into = "mart_best"
[[workflow.stages.actions]]
name = "send"
kind = "deliver"
table = "mart_mapped"
"""
DAILY_SQL = """
SELECT ordered_on AS of_day, count(*) AS orders, CAST(sum(total) AS DECIMAL(12,2)) AS amount
FROM fact_orders GROUP BY ordered_on
"""
SCORE = """
from pyspark.sql import functions as F

def score(daily):
    return daily.select("of_day", (F.col("amount") * 2).cast("double").alias("score"))
"""
BROKEN = """
def score(daily):
    raise ValueError("no scores today")
"""


@pytest.fixture
def house(
    tmp_path: Path,
    people: Path,
    spark: SparkSession,  # the one session
    monkeypatch: pytest.MonkeyPatch,
    as_user: Callable[..., Path],
) -> Iterator[House]:
    monkeypatch.setenv("LANDFALL_CONF", str(tmp_path / "conf"))
    made = House(tmp_path, people)
    made.write("daily.sql", DAILY_SQL)
    as_user("ada")
    yield made
    forget()


def one(action: str) -> str:
    """A workflow of one action."""
    return (
        f'[[workflow]]\nname = "sales"\nafter = ["orders"]\n[[workflow.stages]]\n[[workflow.stages.actions]]\n{action}'
    )


def test_a_failed_action_keeps_back_those_that_read_from_it_and_mended_they_alone_run(house: House) -> None:
    house.configure(THREE_STAGES)
    module = house.write("acme_marts.py", BROKEN)
    house.drop(ORDERS)

    assert not house.run()
    assert house.ran() == ["daily", "mapped", "regions", "score", "send"]
    [failed] = [entry for entry in house.journal() if entry["event"] == "failed"]
    assert (failed["workflow"], failed["action"]) == ("sales", "score")
    assert "no scores today" in failed["error"]
    assert house.rows("mart_daily") == [
        (date(2026, 10, 1), 2, Decimal("15.50")),
        (date(2026, 10, 2), 1, Decimal("1.00")),
    ]
    assert house.rows("mart_mapped") == [("NORTH", 4), ("SOUTH", 2)]

    module.write_text(SCORE)
    assert house.run()
    assert house.ran(5) == ["best", "score"]
    assert house.rows("mart_best") == [(31.0,)]

    assert house.run()
    assert house.ran(7) == []

    house.write("daily.sql", DAILY_SQL.replace("sum(total)", "sum(total + 1)"))
    assert house.run()
    assert house.ran(7) == ["best", "daily", "score"]
    assert house.rows("mart_best") == [(35.0,)]
    assert [file.name for file in house.outbox.iterdir()] == [f"mart_mapped.{_build(house, 'send')}.csv"]


def test_a_load_cleans_texts_as_a_feed_does(house: House) -> None:
    house.configure(
        one(
            'name = "mapped"\nkind = "load"\nfrom = "fact_orders"\ninto = "mart_mapped"\nmap = ['
            '{ name = "titled", from = "region", clean = ["strip", "title"] },'
            '{ name = "upper", from = "region", clean = ["upper"] }, { name = "as_sent", from = "region" }]'
        )
    )
    house.drop([("o1", "2026-10-01", " o'neil stra\u00dfe", "1.00"), ("o2", "2026-10-01", " ", "1.00")])
    assert house.run()
    assert house.rows("mart_mapped") == [
        ("O'Neil Stra\u00dfe", " O'NEIL STRA\u1e9eE", " o'neil stra\u00dfe"),
        (None, " ", " "),
    ]


def test_what_is_delivered_is_safe_in_a_spreadsheet_and_comes_once_a_build(house: House) -> None:
    house.configure(one('name = "send"\nkind = "deliver"\ntable = "fact_orders"'))
    house.drop(MORE)
    assert house.run()
    [file] = house.outbox.iterdir()
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [(row["order_id"], row["region"], row["total"]) for row in rows] == [
        ("o4", "south", "2.00"),
        ("o5", "'=south", "4.00"),
    ]
    file.unlink()  # the client took it
    assert house.run()
    assert list(house.outbox.iterdir()) == []
    house.drop(ORDERS, day=2)
    assert house.run()
    assert len(list(house.outbox.iterdir())) == 1


def test_an_incremental_action_sees_the_new_drop_alone(house: House) -> None:
    house.configure(
        one(
            'name = "daily"\nkind = "aggregate"\nincremental = "drop"\nmode = "append"\ninto = "mart_daily"\n'
            'sql = "SELECT ordered_on AS of_day, count(*) AS orders FROM fact_orders GROUP BY ordered_on"'
        )
    )
    house.drop(ORDERS)
    assert house.run()
    house.drop(MORE, day=2)
    assert house.run()
    assert [entry["counts"]["rows"] for entry in house.journal()] == [2, 2]
    assert house.rows("mart_daily") == [
        (date(2026, 10, 1), 2),
        (date(2026, 10, 2), 1),
        (date(2026, 10, 2), 1),
        (date(2026, 10, 3), 1),
    ]


def test_the_gate_is_not_asked_more_often_the_more_drops_there_are(house: House) -> None:
    house.configure(
        one(
            'name = "daily"\nkind = "aggregate"\nincremental = "drop"\nmode = "append"\ninto = "mart_daily"\n'
            'sql = "SELECT count(*) AS orders FROM fact_orders"'
        )
    )
    audit, asked = house.root / "home/logs/audit.jsonl", list[int]()
    for days in ((1,), (2,), (3, 4, 5), (6,)):
        for day in days:
            house.drop(ORDERS, day=day)
        before = len(audit.read_text().splitlines()) if audit.exists() else 0
        assert house.run()
        asked.append(len(audit.read_text().splitlines()) - before)
    assert asked[3] == asked[1] < asked[2]


def test_running_totals_read_what_the_table_held_before(house: House) -> None:
    house.configure(
        one(
            'name = "totals"\nkind = "aggregate"\nincremental = "drop"\ninto = "mart_totals"\n'
            'columns = { region = "string", orders = "long" }\n'
            'sql = "SELECT region, sum(orders) AS orders FROM (SELECT region, orders FROM mart_totals UNION ALL '
            'SELECT region, 1L AS orders FROM fact_orders) AS every_one GROUP BY region"'
        )
    )
    house.drop(ORDERS)
    assert house.run()
    house.drop(MORE, day=2)
    assert house.run()
    assert house.rows("mart_totals") == [("=south", 1), ("north", 2), ("south", 2)]
    assert len(house.journal()) == 2


def test_partitions_that_the_result_has_are_replaced_and_the_others_stay(house: House) -> None:
    action = (
        'name = "daily"\nkind = "aggregate"\ninto = "mart_daily"\n'
        'mode = "replace_partitions"\npartition_by = "of_day"\n'
        'sql = "SELECT ordered_on AS of_day, count(*) AS orders FROM fact_orders {} GROUP BY ordered_on"'
    )
    house.configure(one(action.format("")))
    house.drop(ORDERS)
    assert house.run()
    house.drop(MORE, day=2)
    house.configure(one(action.format("WHERE ordered_on > DATE'2026-10-01'")))
    assert house.run()
    assert house.rows("mart_daily") == [(date(2026, 10, 1), 2), (date(2026, 10, 2), 2), (date(2026, 10, 3), 1)]


def test_a_failed_action_leaves_its_table_as_it_was(house: House) -> None:
    house.configure(one(DAILY.partition("\n[[workflow.stages.actions]]\n")[2]))
    house.drop(ORDERS)
    assert house.run()
    before = house.rows("mart_daily")
    house.write("daily.sql", DAILY_SQL.replace("DECIMAL(12,2)", "DOUBLE"))
    assert not house.run()
    assert house.rows("mart_daily") == before
    assert "amount is double, and decimal(12,2) is declared" in house.journal()[-1]["error"]


def test_a_run_that_dies_before_readers_see_a_table_is_gone_on_with(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.configure(one(DAILY.partition("\n[[workflow.stages.actions]]\n")[2]))
    house.drop(ORDERS)
    with monkeypatch.context() as dying:
        dying.setattr("pipelines.action.publish_mart", _die)
        assert not house.run()
    assert house.ran() == ["daily"]
    assert "mart_daily" not in house.tables()
    assert house.run()
    assert house.ran() == ["daily"]  # the output was whole: it is not made again
    assert len(house.rows("mart_daily")) == 2


def test_a_delivery_that_dies_on_its_way_arrives_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.configure(one('name = "send"\nkind = "deliver"\ntable = "fact_orders"\nformat = "parquet"'))
    house.drop(ORDERS)
    for step in ("prepare", "hand"):  # before it is settled, and after
        with monkeypatch.context() as dying:
            dying.setattr(f"targets.landing.delivery.{step}", _die)
            assert not house.run()
        assert not house.outbox.exists()
    assert house.run()
    [file] = house.outbox.iterdir()
    assert pq.read_table(file).num_rows == 3
    file.unlink()
    assert house.run()
    assert list(house.outbox.iterdir()) == []


@pytest.mark.slow
def test_a_killed_run_leaves_nothing_that_readers_see_and_the_next_one_finishes(house: House) -> None:
    house.configure(THREE_STAGES)
    waits = house.root / "waits"
    stuck = f"import time\nfrom pathlib import Path\nPath({str(waits)!r}).touch()\ntime.sleep(600)\n"
    module = house.write("acme_marts.py", stuck + SCORE)
    house.drop(ORDERS)
    command = [str(Path(sys.executable).parent / "luigi"), "--module", "pipelines", "RunWorkflow", "--client", "acme"]
    process = subprocess.Popen(
        [*command, "--name", "sales", "--local-scheduler"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(lambda: waits.exists() and "mart_mapped" in house.tables(), "the workflow is under way", 240)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert "mart_score" not in house.tables()
    done = len(house.journal())
    module.write_text(SCORE)
    assert house.run()
    assert house.rows("mart_best") == [(31.0,)]
    assert set(house.ran(done)) <= {"best", "score", "send"}
    assert len(list(house.outbox.iterdir())) == 1


def test_who_may_not_run_a_feed_may_not_run_what_reads_it(house: House, as_user: Callable[..., Path]) -> None:
    house.configure(THREE_STAGES)
    house.write("acme_marts.py", SCORE)
    house.drop(ORDERS)
    as_user("sam")  # an operator of returns
    assert not house.run()
    as_user("eve")
    assert not house.run()
    as_user("ada")
    assert house.ran() == []


def test_a_mart_is_read_by_those_who_may_read_all_that_it_is_made_of(
    house: House, as_user: Callable[..., Path]
) -> None:
    house.configure(one(DAILY.partition("\n[[workflow.stages.actions]]\n")[2]))
    house.drop(ORDERS)
    assert house.run()
    assert "mart_daily" in house.tables()
    as_user("sam")  # may read returns alone
    assert "mart_daily" not in house.tables()


@pytest.mark.parametrize("after", ['{ all = ["orders", "returns"] }', '["orders"]'])
def test_a_workflow_runs_when_what_it_follows_is_new(house: House, after: str) -> None:
    house.configure(
        one(
            'name = "regions"\nkind = "aggregate"\ninto = "mart_regions"\n'
            'sql = "SELECT count(*) AS orders FROM fact_orders"'
        ).replace('["orders"]', after)
    )
    house.drop(ORDERS, day=1)
    assert house.run(if_news=True)
    waits = "all" in after
    assert house.ran() == ([] if waits else ["regions"])
    if waits:
        house.drop([("o1", "2026-10-01", "", "0")], day=2, feed="returns")
        assert house.run(if_news=True)
        assert house.ran() == []
        house.drop([("o2", "2026-10-01", "", "0")], day=1, feed="returns")
        assert house.run(if_news=True)
        assert house.ran() == ["regions"]
    house.drop(MORE, day=3)
    assert house.run(if_news=True)
    assert len(house.ran()) == (1 if waits else 2)


def _die(*_: object, **__: object) -> None:
    raise SystemExit("killed here")


def _build(house: House, action: str) -> str:
    return str(next(entry["build"] for entry in house.journal() if entry["action"] == action))
