from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.drop_tables import drop
from tests.landfall.cli.conftest import Ended
from tests.landfall.star.conftest import fact, publish_star, star_of

Call = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _star(house: Path) -> None:
    of = drop()
    publish_star(of, star_of(of, [fact(of, 1), fact(of, 2, value="\x1b[2J[red]", url="a,b")]))


@pytest.mark.parametrize(
    ("form", "says"),
    [("table", "line  url"), ("csv", 'line,url\n2,"a,b"\n'), ("json", '[\n{"line": 2, "url": "a,b"}\n]\n')],
)
def test_formats(landfall: Call, form: str, says: str) -> None:
    sql = "SELECT line, url FROM fact_image_request WHERE line = 2"
    ended = landfall("query", "--client", "demo", sql, "--format", form, user="vera")
    assert ended.code == 0
    assert says in ended.out


def test_limit(landfall: Call) -> None:
    sql = "SELECT line FROM fact_image_request ORDER BY line"
    assert landfall("query", "--client", "demo", sql, "--format", "csv", "--limit", 1).out == "line\n1\n"


def test_of_a_month(landfall: Call) -> None:
    of = drop(content="march", received=datetime(2026, 3, 1, tzinfo=UTC))
    publish_star(of, star_of(of, [fact(of, 7)]))
    sql = "SELECT line FROM fact_image_request ORDER BY line"
    asked = ("query", "--client", "demo", sql, "--format", "csv")
    assert landfall(*asked).out == "line\n1\n2\n7\n"
    assert landfall(*asked, "--month", "2026-03").out == "line\n7\n"
    assert landfall(*asked, "--month", "2025-03").out == "line\n"
    assert landfall(*asked, "--month", "March").code == 2


@pytest.mark.parametrize("sql", ["SELECT 1; SELECT 2", "SELECT * FROM nothing", "COPY dim_drop TO 'x'", "SELEKT", ""])
def test_what_is_no_select_over_the_tables_ends_with_65(landfall: Call, sql: str) -> None:
    ended = landfall("query", "--client", "demo", sql)
    assert (ended.code, ended.out) == (65, "")
    assert "Traceback" not in ended.err


def test_a_table_holds_nothing_that_a_terminal_obeys(landfall: Call) -> None:
    out = landfall("query", "--client", "demo", "SELECT value FROM fact_image_request WHERE line = 2").out
    assert "\\x1b[2J[red]" in out
    assert "\x1b" not in out


def test_tables_and_their_columns(landfall: Call) -> None:
    ended = landfall("tables", "--client", "demo")
    assert ended.code == 0
    assert "fact_image_request" in ended.out
    assert "milliseconds int64" in ended.out
    found = {row["table"]: row for row in json.loads(landfall("tables", "--client", "demo", "--json").out)}
    assert found["fact_image_request"]["rows"] == 2
    assert "drop string" in found["dim_drop"]["columns"]


@pytest.mark.parametrize("arguments", [["query", "--client", "demo", "SELECT 1"], ["tables", "--client", "demo"]])
def test_without_a_grant_it_is_a_denial(landfall: Call, arguments: list[str]) -> None:
    ended = landfall(*arguments, user="eve")
    assert (ended.code, ended.out) == (77, "")


def test_the_last_argument_may_stand_anywhere(landfall: Call) -> None:
    assert landfall("query", "SELECT 1 AS one", "--client", "demo", "--format", "csv").out == "one\n1\n"
