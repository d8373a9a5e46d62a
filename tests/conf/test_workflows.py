"""Workflows of a client's file: what is taken, and every mistake as a sentence, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from conf.actions import Aggregate
from conf.client import load_client
from conf.errors import ConfigError
from conf.workflows import Workflow
from spark_jobs.star.described import known_columns

FEEDS = """
client = "acme"
[feeds.orders]
kind = "records"
[[feeds.orders.columns]]
name = "order_id"
[[feeds.orders.columns]]
name = "total"
type = "decimal(12,2)"
"""


@pytest.fixture(autouse=True)
def clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LANDFALL_CONF", str(tmp_path))
    (tmp_path / "clients" / "acme").mkdir(parents=True)
    return tmp_path / "clients"


def read(clients: Path, *workflows: str) -> tuple[Workflow, ...]:
    (clients / "acme.toml").write_text(FEEDS + "\n".join(workflows))
    return load_client("acme", None, known_columns).workflow


def mistakes(clients: Path, *workflows: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(clients, *workflows)
    start = f"{clients / 'acme.toml'}: "
    return [problem.removeprefix(start) for problem in caught.value.problems]


def workflow(*stages: list[str], name: str = "sales", after: str = '["orders"]') -> str:
    text = f'[[workflow]]\nname = "{name}"\nafter = {after}\n'
    for actions in stages:
        text += "[[workflow.stages]]\n" + "".join(f"[[workflow.stages.actions]]\n{action}\n" for action in actions)
    return text


def aggregate(name: str, sql: str, more: str = "", into: str = "") -> str:
    return f'name = "{name}"\nkind = "aggregate"\nsql = "{sql}"\ninto = "{into or f"mart_{name}"}"\n{more}'


def test_a_workflow_is_read(clients: Path) -> None:
    (clients / "acme" / "marts").mkdir()
    (clients / "acme" / "marts" / "daily.sql").write_text("SELECT count(*) AS orders FROM fact_orders")
    [found] = read(
        clients,
        workflow(
            [
                'name = "daily"\nkind = "aggregate"\nsql_file = "marts/daily.sql"\ninto = "mart_daily"',
                'name = "score"\nkind = "python"\nfunction = "acme_marts:score"\nreads = ["fact_orders"]\n'
                'into = "mart_score"',
            ],
            ['name = "send"\nkind = "deliver"\ntable = "mart_daily"\nformat = "parquet"'],
            after='{ all = ["orders"], period = "month" }',
        ),
    )
    assert found.after.all == ("orders",)
    daily = found.stages[0].actions[0]
    assert isinstance(daily, Aggregate)
    assert daily.statement("acme").tables == {"fact_orders"}


def test_every_mistake_is_told_at_once(clients: Path) -> None:
    found = mistakes(
        clients,
        workflow(
            [
                aggregate("a", "SELECT totl FROM fact_orders"),
                aggregate("b", "SELECT total FROM fact_order"),
                aggregate("c", "SELECT total FROM fact_orders", into="mart_a"),
            ],
            [
                'name = "d"\nkind = "load"\nfrom = "fact_orders"\ninto = "mart_d"\n'
                'map = [{ name = "x", from = "totals" }]'
            ],
            after='["order"]',
        ),
    )
    assert found == [
        "workflow[0].after is 'order'; there is no such feed; did you mean 'orders'?",
        "workflow[0].stages[0].actions[2] (c).into is 'mart_a'; sales.a writes into it: "
        "each table has one action that does.",
        "workflow[0].stages[0].actions[0] (a) is wrong: there is no column 'totl'; did you mean 'total'?",
        "workflow[0].stages[0].actions[1] (b) reads 'fact_order'; there is no such table; did you mean 'fact_orders'?",
        "workflow[0].stages[1].actions[0] (d) is wrong: fact_orders has no column 'totals'; did you mean 'total'?",
    ]


@pytest.mark.parametrize(
    ("action", "says"),
    [
        (aggregate("a", "DROP TABLE fact_orders"), "it must be one SELECT"),
        (
            aggregate("a", "SELECT reflect('java.lang.System', 'exit') AS x FROM fact_orders"),
            "'reflect' is not allowed",
        ),
        (aggregate("a", "SELECT * FROM parquet.`/etc`"), "must be a table's name alone"),
        (aggregate("a", "SELECT total FROM fact_orders", into="fact_orders"), "tables of feeds begin with"),
        (aggregate("a", "SELECT total FROM fact_orders", 'mode = "replace_partitions"'), "belong together"),
        (aggregate("a", "SELECT total FROM fact_orders", 'columns = { totl = "string" }'), "columns names totl"),
        (aggregate("a", "SELECT total FROM fact_orders", 'columns = { total = "money" }'), "'money'"),
        (aggregate("a", "SELECT * FROM mart_a"), "reads its own table: say which `columns`"),
        ('name = "a"\nkind = "aggregate"\nsql_file = "../../secret.sql"\ninto = "mart_a"', "without .."),
        ('name = "a"\nkind = "aggregate"\nsql_file = "nowhere.sql"\ninto = "mart_a"', "cannot be read"),
        ('name = "a"\nkind = "aggregate"\ninto = "mart_a"', "either sql or sql_file"),
        (
            'name = "a"\nkind = "python"\nfunction = "os.system"\nreads = ["fact_orders"]\ninto = "mart_a"',
            "module:function",
        ),
        ('name = "a"\nkind = "deliver"\ntable = "mart_none"', "there is no such table"),
        ('name = "a"\nkind = "agregate"\nsql = "SELECT 1 AS one"\ninto = "mart_a"', "did you mean 'aggregate'?"),
    ],
)
def test_what_is_refused(clients: Path, action: str, says: str) -> None:
    assert says in "\n".join(mistakes(clients, workflow([action])))


def test_a_file_of_sql_does_not_lead_out_of_the_clients_directory(clients: Path) -> None:
    (clients / "rival.sql").write_text("SELECT 1 AS one")
    (clients / "acme" / "link.sql").symlink_to(clients / "rival.sql")
    action = 'name = "a"\nkind = "aggregate"\nsql_file = "link.sql"\ninto = "mart_a"'
    assert "leads out of" in mistakes(clients, workflow([action]))[0]


def test_stages_follow_each_other_and_workflows_do_not_wait_in_a_circle(clients: Path) -> None:
    same = mistakes(
        clients, workflow([aggregate("a", "SELECT total FROM fact_orders"), aggregate("b", "SELECT total FROM mart_a")])
    )
    assert same == [
        "workflow[0].stages[0].actions[1] (b) reads mart_a, which a of the same stage makes; "
        "it may read what earlier stages make."
    ]
    later = mistakes(
        clients,
        workflow([aggregate("a", "SELECT total FROM mart_b")], [aggregate("b", "SELECT total FROM fact_orders")]),
    )
    assert "which b of a later stage makes" in later[0]
    circle = mistakes(
        clients,
        workflow([aggregate("a", "SELECT 1 AS one FROM mart_b")], name="x"),
        workflow([aggregate("b", "SELECT 1 AS one FROM mart_a")], name="y"),
    )
    assert circle == ["workflows read each other's tables in a circle: x -> y -> x."]


def test_an_action_that_sees_one_drop_reads_what_is_made_drop_by_drop(clients: Path) -> None:
    found = mistakes(
        clients,
        workflow(
            [aggregate("a", "SELECT total FROM fact_orders")],
            [aggregate("b", "SELECT total FROM mart_a", 'incremental = "drop"\nmode = "append"')],
        ),
    )
    assert "sees one drop alone and reads mart_a" in found[0]


@pytest.mark.parametrize("on_redrop", ["upsert", "replace_period"])
def test_an_incremental_action_reads_no_feed_whose_drops_correct_each_other(clients: Path, on_redrop: str) -> None:
    more = {"upsert": 'key = ["order_id"]', "replace_period": 'partition_by = "ordered"'}[on_redrop]
    day = '[[feeds.orders.columns]]\nname = "ordered"\ntype = "date"\nrequired = true\n'
    orders = FEEDS.replace('kind = "records"', f'kind = "records"\non_redrop = "{on_redrop}"\n{more}') + day
    counting = 'incremental = "drop"\nmode = "append"\n'
    text = workflow([aggregate("daily", "SELECT count(*) AS orders FROM fact_orders", counting)])
    (clients / "acme.toml").write_text(orders + text)
    with pytest.raises(ConfigError, match=f"fact_orders, whose on_redrop is '{on_redrop}'.* leave incremental out"):
        load_client("acme", None, known_columns)
    (clients / "acme.toml").write_text(orders + text.replace(counting, ""))
    assert load_client("acme", None, known_columns).workflow
