"""A client onboarded from a sample alone: it is run, and rows of its marts are traced back to its lines."""

from __future__ import annotations

import json
import random
import tomllib
from pathlib import Path
from typing import Any

import pytest

from auth.directory.file import FileDirectory
from tests.installation import Installation

ADMIN = '\n[[grants]]\ngroup = "admins"\nrole = "admin"\nclient = "*"\nfeeds = "*"\n'
WORKFLOW = """
[[workflow]]
name = "sales"
after = ["orders"]
[[workflow.stages]]
[[workflow.stages.actions]]
name = "daily"
kind = "aggregate"
sql = \"\"\"SELECT ordered_on AS day, c.country, count(*) AS orders FROM fact_orders AS f
    JOIN dim_country AS c ON f.country_key = c.country_key GROUP BY ordered_on, c.country\"\"\"
into = "mart_daily"
[[workflow.stages]]
[[workflow.stages.actions]]
name = "best"
kind = "aggregate"
sql = "WITH d AS (SELECT * FROM mart_daily) SELECT country, max(orders) AS most FROM d GROUP BY country"
into = "mart_best"
"""


@pytest.fixture
def installed(tmp_path: Path) -> Installation:
    installation = Installation(tmp_path / "installation", port=9, client="acme").prepare()
    (installation.conf / "clients/acme.toml").unlink()
    with (installation.conf / "grants.toml").open("a") as file:
        file.write(ADMIN)
    FileDirectory.of(installation.home).add("adm", "password of adm", ["admins"])
    password = installation.root / "adm"
    password.touch(mode=0o600)
    password.write_text("password of adm")
    return installation


def orders(count: int) -> tuple[str, list[tuple[str, str]]]:
    """A file with some faults, and (day, country) of its sound lines, by line."""
    made = random.Random(11)
    lines, sound = ["Order ID;Ordered on;Country;Price"], []
    for at in range(count):
        day, country = f"{made.randint(1, 5):02}.11.2025", made.choice(["DE", "FR"])
        order = "??" if at % 97 == 96 else f"ab{100_000 + at}"
        price = "free" if at % 89 == 88 else f"{made.randint(100, 999) / 100:.2f}"
        lines.append(f"{order};{day};{country};{price}")
        sound.append((day, country) if order != "??" and price != "free" else ("", ""))
    return "\n".join([*lines, lines[5]]) + "\n", sound


@pytest.mark.slow
def test_from_a_sample_to_the_lines_behind_a_mart(installed: Installation) -> None:
    content, sound = orders(400)
    (installed.root / "orders.csv").write_text(content)
    made = installed.landfall("onboard", "--client", "acme", "--feed", "orders", "--sample", "orders.csv", user="adm")
    assert made.returncode == 0, made.stderr
    accepted = sum(day != "" for day, _ in sound)
    assert f"{accepted} would be accepted, {400 - accepted} quarantined, 1 duplicate" in made.stdout
    file = installed.conf / "clients/acme.toml"
    file.write_text(file.read_text() + WORKFLOW)
    assert tomllib.loads(file.read_text())["feeds"]["orders"]["key"] == ["order_id"]
    assert installed.landfall("drop", "acme", "orders", "orders.csv").returncode == 0
    ran = installed.luigi("RunAll", "--local-scheduler")
    assert ran.returncode == 0, ran.stderr
    [receipt] = (installed.home / "landing/acme/outbox/orders").glob("*.receipt.json")
    counts = json.loads(receipt.read_text())["counts"]
    assert (counts["ok"], counts["quarantined"], counts["duplicate"]) == (accepted, 400 - accepted, 1)

    found = trace(installed, "mart_daily", "day = '2025-11-03' AND country = 'DE'")
    wanted = [line for line, (day, country) in enumerate(sound, 2) if (day, country) == ("03.11.2025", "DE")]
    assert found["how"] == "each line"
    assert [one["line"] for one in found["lines"]] == wanted
    assert (found["made"][0]["by"], found["made"][0]["current"]) == ("sales/daily", True)
    assert [(one["name"], one["lines"]) for one in found["drops"]] == [("orders.csv", accepted)]
    found = trace(installed, "mart_best", "country = 'DE'")
    assert found["how"] == "all lines of these drops"
    assert {one["by"] for one in found["made"]} == {"sales/best", "sales/daily", "load of orders"}
    assert [one["name"] for one in found["drops"]] == ["orders.csv"]

    drawn = installed.landfall("lineage", "--client", "acme", "--json", user="vera")
    edges = {tuple(edge) for edge in json.loads(drawn.stdout)["edges"]}
    assert {
        ("table:fact_orders", "action:sales/daily"),
        ("action:sales/daily", "table:mart_daily"),
        ("table:mart_daily", "action:sales/best"),
    } <= edges


def trace(installed: Installation, table: str, where: str) -> dict[str, Any]:
    done = installed.landfall(
        "trace", "--client", "acme", "--table", table, "--where", where, "--format", "json", user="vera"
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
