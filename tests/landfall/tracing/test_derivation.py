"""The lines behind rows of a mart, from the SELECT that made it."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfall.tracing.derivation import derived
from targets.tables import Table

FACT = Table(
    "fact_orders",
    "fact",
    {"drop_key": "string", "entry": "int", "line": "bigint", "day": "date", "country": "string", "total": "int"},
)
LINES = Table("fact_orders_line", "fact", {"drop_key": "string", "entry": "int", "line": "bigint"})
DIMENSION = Table("dim_country", "dimension", {"country": "string", "region": "string"})
TABLES = {table.name: table for table in (FACT, LINES, DIMENSION)}
DAYS = ("2026-11-01", "2026-11-02", "2026-12-01")
ORDERS = st.lists(
    st.tuples(st.sampled_from(DAYS), st.sampled_from(["DE", "FR", None]), st.integers(0, 9)), min_size=1, max_size=30
)


def database(orders: list[tuple[str, str | None, int]], sql: str) -> duckdb.DuckDBPyConnection:
    """Orders, each on the line of its number, and the mart that DuckDB's SQL makes of them."""
    made = duckdb.connect()
    made.execute("CREATE TABLE fact_orders (drop_key TEXT, entry INT, line BIGINT, day DATE, country TEXT, total INT)")
    made.executemany(
        "INSERT INTO fact_orders VALUES ('d', 0, ?, ?, ?, ?)",
        [(line, *order) for line, order in enumerate(orders, 1)],
    )
    made.execute("CREATE TABLE dim_country AS SELECT * FROM (VALUES ('DE', 'mid'), ('FR', 'west')) v(country, region)")
    made.execute(f"CREATE TABLE mart AS {sql}")
    return made


def lines(made: duckdb.DuckDBPyConnection, sql: str | None) -> set[int]:
    assert sql is not None
    return {line for _, _, _, line in made.execute(sql).fetchall()}


@given(orders=ORDERS, day=st.sampled_from(DAYS))
def test_the_lines_of_a_group(orders: list[tuple[str, str | None, int]], day: str) -> None:
    sql = (
        "SELECT day, country, sum(total) AS total, count(*) AS n FROM fact_orders WHERE total > 2 GROUP BY day, country"
    )
    with database(orders, sql) as made:
        found = lines(made, derived(sql, "mart", f"day = '{day}' -- that one", TABLES))
    assert found == {at for at, (its, _, total) in enumerate(orders, 1) if its == day and total > 2}


@given(orders=ORDERS)
def test_groups_that_are_calculated_joined_and_null(orders: list[tuple[str, str | None, int]]) -> None:
    spark = """SELECT date_trunc('MONTH', f.day) AS month, c.region, max(f.total) AS best FROM fact_orders AS f
        LEFT JOIN dim_country AS c ON f.country = c.country GROUP BY 1, c.region HAVING max(f.total) >= 0 ORDER BY 1"""
    duck = spark.replace("'MONTH'", "'month'")
    with database(orders, duck) as made:
        found = lines(made, derived(spark, "mart", "region IS NULL AND month = '2026-11-01'", TABLES))
    wanted = {at for at, (day, country, _) in enumerate(orders, 1) if country is None and day < "2026-12"}
    assert found == wanted


@given(orders=ORDERS, least=st.integers(0, 9))
def test_rows_of_a_whole_and_rows_that_are_not_grouped(orders: list[tuple[str, str | None, int]], least: int) -> None:
    whole = "SELECT sum(total) AS total FROM fact_orders"
    with database(orders, whole) as made:
        assert lines(made, derived(whole, "mart", "", TABLES)) == set(range(1, len(orders) + 1))
    plain = "SELECT day, total * 2 AS twice FROM fact_orders"
    with database(orders, plain) as made:
        found = lines(made, derived(plain, "mart", f"twice >= {2 * least}", TABLES))
    assert found == {at for at, (_, _, total) in enumerate(orders, 1) if total >= least}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM fact_orders",
        "SELECT region FROM dim_country",
        "WITH x AS (SELECT * FROM fact_orders) SELECT day FROM x",
        "SELECT day FROM fact_orders UNION SELECT day FROM fact_orders",
        "SELECT day FROM (SELECT day FROM fact_orders) AS x",
        "SELECT day, row_number() OVER (ORDER BY day) AS n FROM fact_orders",
        "SELECT DISTINCT day FROM fact_orders",
        "SELECT day FROM fact_orders LIMIT 3",
        "SELECT f.day FROM fact_orders AS f JOIN fact_orders_line AS l ON f.line = l.line",
        "SELECT",
    ],
)
def test_what_does_not_say_its_lines(sql: str) -> None:
    assert derived(sql, "mart", "", TABLES) is None
