"""What nobody sees any more of workflows' tables is swept, what somebody may need is not, and a kill harms nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from targets.local import LocalFileSystem
from tests.pipelines.marts import House, forget
from tests.pipelines.test_workflows import MORE, ORDERS, one

pytestmark = pytest.mark.spark

DAYS = 30
COUNT = (
    'name = "count"\nkind = "aggregate"\ninto = "mart_count"\nsql = "SELECT count(*) + {} AS orders FROM fact_orders"'
)
TOTALS = (
    'name = "totals"\nkind = "aggregate"\nincremental = "drop"\ninto = "mart_totals"\n'
    'columns = {{ orders = "long" }}\n'
    'sql = "SELECT sum(orders) + {} AS orders FROM (SELECT orders FROM mart_totals UNION ALL '
    'SELECT 1L AS orders FROM fact_orders) AS every_one"'
)


@pytest.fixture
def house(
    tmp_path: Path, people: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch, as_user: Callable[..., Path]
) -> Iterator[House]:
    monkeypatch.setenv("LANDFALL_CONF", str(tmp_path / "conf"))
    made = House(tmp_path, people)
    as_user("ada")
    yield made
    forget()


def client(house: House) -> Path:
    return house.root / "home/lake/test/clients/acme"


def outputs(house: House, action: str = "count") -> set[str]:
    return {path.name for path in (client(house) / "analytics-ready/workflows/sales" / action).iterdir()}


def entries(house: House, table: str = "mart_count") -> list[str]:
    return sorted(path.name.partition(".")[0] for path in (client(house) / "marts" / table).iterdir())


def grow_old(house: House, days: float) -> None:
    """All that workflows have made was made so many days earlier."""
    for root in (client(house) / "analytics-ready/workflows", client(house) / "marts"):
        for path in root.rglob("*"):
            when = path.stat().st_mtime - days * 86_400
            os.utime(path, (when, when))


def change(house: House, number: int, action: str = COUNT) -> None:
    house.configure(one(action.format(number)))
    assert house.run()


def test_what_readers_saw_stays_for_some_days_and_what_they_see_for_ever(house: House) -> None:
    house.drop(ORDERS)
    change(house, 0)
    first = outputs(house)
    grow_old(house, DAYS * 10)
    change(house, 1)  # what was seen until a moment ago is old, and may be read still
    assert house.run()
    both = outputs(house)
    assert first < both
    assert entries(house) == ["1", "2"]
    grow_old(house, DAYS + 2)
    assert house.run()
    assert outputs(house) == both - first
    assert entries(house) == ["2"]
    assert house.rows("mart_count") == [(4,)]
    grow_old(house, DAYS * 10)
    assert house.run()
    assert house.rows("mart_count") == [(4,)]
    change(house, 0)  # history comes again: what is gone is made again
    assert outputs(house) == both
    assert house.rows("mart_count") == [(3,)]
    assert entries(house) == ["2", "3"]


def test_a_content_that_came_again_is_not_swept_for_its_older_entry(house: House) -> None:
    house.drop(ORDERS)
    for number in (0, 1, 0, 1):
        change(house, number)
        grow_old(house, DAYS / 2)  # the first two are followed for more than a month, the third is not
    grow_old(house, 2)
    assert house.run()
    assert len(outputs(house)) == 2
    assert entries(house) == ["3", "4"]


def test_what_each_drop_came_to_is_kept_for_the_next_and_a_replaced_one_goes(house: House) -> None:
    house.drop(ORDERS)
    house.drop(MORE, day=2)
    change(house, 0, TOTALS)
    chain = outputs(house, "totals")
    assert len(chain) == 2
    grow_old(house, DAYS * 10)
    house.drop(MORE[:1], day=3)
    assert house.run()
    grow_old(house, DAYS * 10)
    done = len(house.journal())
    assert house.run()
    assert len(house.journal()) == done  # nothing had to be made again
    assert chain < outputs(house, "totals")
    assert house.rows("mart_totals") == [(6,)]
    now = outputs(house, "totals")
    change(house, 1, TOTALS)
    grow_old(house, DAYS + 2)
    assert house.run()
    assert not outputs(house, "totals") & now
    assert house.rows("mart_totals") == [(9,)]


@pytest.mark.parametrize("dies_in", ["rename", "remove"])
def test_a_kill_while_it_sweeps_is_harmless(house: House, monkeypatch: pytest.MonkeyPatch, dies_in: str) -> None:
    house.drop(ORDERS)
    change(house, 0)
    change(house, 1)
    grow_old(house, DAYS + 2)
    whole = getattr(LocalFileSystem, dies_in)

    def dying(fs: LocalFileSystem, path: str, *more: str) -> None:
        if "superseded" in "".join(more) or Path(path, "superseded").exists():
            raise SystemExit("killed here")
        whole(fs, path, *more)

    with monkeypatch.context() as patch:
        patch.setattr(LocalFileSystem, dies_in, dying)
        assert not house.run()
    assert house.rows("mart_count") == [(4,)]
    change(house, 0)  # it is there whole, or made again
    assert house.rows("mart_count") == [(3,)]
    assert len(outputs(house)) == 2
    assert len(house.ran()) == (3 if dies_in == "remove" else 2)


def test_a_build_that_is_swept_before_it_is_seen_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.drop(ORDERS)
    change(house, 0)
    change(house, 1)
    house.configure(one(COUNT.format(0)))
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.action.newest", _sweeping(house))
        assert not house.run()
    assert house.rows("mart_count") == [(4,)]
    assert house.run()
    assert house.rows("mart_count") == [(3,)]


def _sweeping(house: House) -> Callable[..., object]:
    """``newest``, before which all outputs but the one that readers see are swept."""
    from targets.marts import newest

    def look(*where: object) -> object:
        mart = newest(*where)  # type: ignore[arg-type]
        for path in (client(house) / "analytics-ready/workflows/sales/count").iterdir():
            if mart is not None and path.name != f"build={mart.build}":
                path.rename(house.root / f"swept-{time.monotonic_ns()}")
        return mart

    return look


def test_nothing_is_swept_if_all_is_to_be_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_WORKFLOWS__KEEP_SUPERSEDED_DAYS", "0")
    house.drop(ORDERS)
    change(house, 0)
    change(house, 1)
    grow_old(house, DAYS * 100)
    assert house.run()
    assert (len(outputs(house)), entries(house)) == (2, ["1", "2"])
