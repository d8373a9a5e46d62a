"""SQL from people reaches the client's published tables and nothing else."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conf.errors import AccessDenied, QueryRefused
from conf.settings import load_settings
from landfall.query import TABLE_ROWS, Format, query, render
from tests.drop_tables import drop
from tests.landfall.star.conftest import fact, publish_star, star_of

pytestmark = pytest.mark.usefixtures("published")


def rows(sql: str) -> list[tuple[Any, ...]]:
    return list(query("demo", sql).rows)


def lake_file(client: str, pattern: str = "fact_image_request/part-0.parquet") -> Path:
    [found] = Path(load_settings().lake_root, "clients", client).rglob(pattern)
    return found


@pytest.fixture
def rival() -> Path:
    """A published file of another client."""
    of = drop(client="rival")
    publish_star(of, star_of(of, [fact(of, 1)]))
    return lake_file("rival")


@pytest.fixture
def untouched(tmp_path: Path) -> Any:
    """Fails the test if it changed any file of the lake or made a new one in its directory."""

    def state() -> dict[Path, str]:
        found = (path for path in tmp_path.rglob("*") if path.is_file() and "logs" not in path.parts)
        return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}

    before = state()
    yield
    assert state() == before


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT count(*) FROM fact_image_request", [(4,)]),
        ("FROM fact_image_request SELECT max(line);", [(4,)]),
        (
            "-- how many\nWITH ok AS (SELECT * FROM fact_image_request WHERE outcome = 'ok') SELECT count(*) FROM ok",
            [(3,)],
        ),
        ("SELECT 1 UNION ALL SELECT 2 ORDER BY 1", [(1,), (2,)]),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT max(i) FROM n", [(3,)]),
        ("SELECT sum(i) FROM range(4) t(i)", [(6,)]),
        ("SELECT unnest([1, 2])", [(1,), (2,)]),
        ("SELECT 'DROP TABLE x; COPY'", [("DROP TABLE x; COPY",)]),
    ],
)
def test_one_select_is_run(sql: str, found: list[tuple[Any, ...]]) -> None:
    assert rows(sql) == found


def test_tables_can_be_looked_at() -> None:
    assert ("fact_image_request",) in rows("SHOW TABLES")
    assert ("line", "BIGINT") in [row[:2] for row in rows("DESCRIBE fact_image_request")]
    assert "line" in [row[0] for row in rows("SUMMARIZE fact_image_request")]


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "-- nothing",
        "SELECT 1; SELECT 2",
        "SELECT 1; COPY (SELECT 1) TO '{own}'",
        "COPY (SELECT 1) TO '{own}' (USE_TMP_FILE false)",
        "COPY fact_image_request TO '{tmp}/stolen.csv'",
        "WITH x AS (COPY (SELECT 1 AS a) TO '{own}' (USE_TMP_FILE false)) SELECT 1",
        "SELECT * FROM (WITH x AS (COPY (SELECT 1 AS a) TO '{own}' (USE_TMP_FILE false)) SELECT 1)",
        "WITH x AS (COPY (SELECT 1 AS a) TO '{own}' (USE_TMP_FILE false)) SELECT 1 UNION ALL SELECT 2",
        "FROM query('WITH x AS (COPY (SELECT 1) TO ''{own}'' (USE_TMP_FILE false)) SELECT 1')",
        "FROM json_execute_serialized_sql(json_serialize_sql("
        "'WITH x AS (COPY (SELECT 1) TO ''{own}'' (USE_TMP_FILE false)) SELECT 1'))",
        "DESCRIBE WITH x AS (COPY (SELECT 1 AS a) TO '{own}' (USE_TMP_FILE false)) SELECT 1",
        "SUMMARIZE WITH x AS (COPY (SELECT 1 AS a) TO '{own}' (USE_TMP_FILE false)) SELECT 1",
        "WITH x AS (INSERT INTO dim_date VALUES (1)) SELECT 1",
        "WITH x AS (DELETE FROM dim_date) SELECT 1",
        "WITH x AS (UPDATE dim_date SET year = 1) SELECT 1",
        "ATTACH '{tmp}/x.db'",
        "ATTACH '{rival}' AS rival",
        "INSTALL httpfs",
        "LOAD httpfs",
        "FORCE INSTALL httpfs FROM '{tmp}'",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "PRAGMA enable_external_access = true",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "EXPORT DATABASE '{tmp}/export'",
        "IMPORT DATABASE '{tmp}'",
        "CREATE TABLE t AS SELECT 1",
        "CREATE OR REPLACE VIEW dim_date AS SELECT 1",
        "CREATE MACRO f() AS TABLE FROM read_text('/etc/passwd')",
        "CREATE SECRET s (TYPE s3)",
        "DROP VIEW dim_date",
        "INSERT INTO dim_date VALUES (1)",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "EXPLAIN ANALYZE SELECT 1",
        "BEGIN",
        "CHECKPOINT",
        "VACUUM",
        "USE memory",
        "FROM read_parquet('{rival}')",
        "FROM parquet_scan('{rival}')",
        "FROM READ_PARQUET('{rival}')",
        "FROM main.read_parquet('{rival}')",
        "FROM system.main.read_parquet('{rival}')",
        "SELECT (SELECT count(*) FROM read_parquet('{rival}'))",
        "SELECT 1 WHERE EXISTS (FROM read_parquet('{rival}'))",
        "SELECT * FROM range(1) t, LATERAL (FROM read_parquet('{rival}'))",
        "WITH x AS (FROM read_parquet('{rival}')) FROM x",
        "DESCRIBE FROM read_parquet('{rival}')",
        "SUMMARIZE FROM read_parquet('{rival}')",
        "FROM read_parquet('{dots}')",
        "FROM read_parquet('{link}')",
        "FROM '{rival}'",
        "FROM '{link}'",
        'SELECT * FROM "{rival}"',
        "SUMMARIZE '{rival}'",
        "FROM parquet_metadata('{rival}')",
        "FROM parquet_schema('{rival}')",
        "FROM query_table('{rival}')",
        "FROM read_blob('{own_manifest}')",
        "FROM read_text('{own_manifest}')",
        "FROM '{own_manifest}'",
        "FROM read_text('/etc/passwd')",
        "FROM read_csv('/etc/passwd')",
        "FROM sniff_csv('/etc/passwd')",
        "FROM '/etc/passwd'",
        "FROM read_json('{tmp}/home/directory.json')",
        "FROM read_text('/proc/self/environ')",
        "FROM glob('{tmp}/**')",
        "FROM glob('{own}')",
        "FROM 'https://example.org/x.parquet'",
        "SELECT getenv('LANDFALL_PASSWORD_FILE')",
        "FROM duckdb_settings()",
        "FROM duckdb_secrets()",
        "FROM which_secret('s3://x', 's3')",
        "FROM duckdb_extensions()",
        "FROM enable_logging()",
        "FROM pragma_table_info('dim_date')",
        "FROM python_map_function()",
        "FROM pandas_scan(0)",
        "FROM arrow_scan(0, 0, 0)",
        "SELECT * FROM somebody",
        "SELECT nonsense",
        "SELEC 1",
        "SELECT $1",
        "SELECT error('boom')",
        "SELECT CAST('x' AS INTEGER)",
    ],
)
def test_anything_else_is_refused(sql: str, rival: Path, tmp_path: Path, untouched: None) -> None:
    link = lake_file("demo").parent / "link.parquet"
    link.symlink_to(rival)
    dots = f"{lake_file('demo').parent}/{os.path.relpath(rival, lake_file('demo').parent)}"
    own_manifest = lake_file("demo", "_manifest.json")
    somebody = duckdb.sql("SELECT 1 AS a")  # a Python variable that a replacement scan would find
    text = sql.format(own=lake_file("demo"), rival=rival, link=link, dots=dots, own_manifest=own_manifest, tmp=tmp_path)
    with pytest.raises(QueryRefused) as refused:
        rows(text)
    link.unlink()
    said = str(refused.value)
    assert "Traceback" not in said
    assert "\n" not in said
    assert somebody is not None


def test_a_refusal_does_not_tell_whether_a_file_is_there(rival: Path) -> None:
    said = []
    for path in (rival, rival.with_name("nothing.parquet")):
        for sql in (f"FROM read_parquet('{path}')", f"FROM '{path}'"):
            with pytest.raises(QueryRefused) as refused:
                rows(sql)
            said.append(str(refused.value).replace(str(path), "PATH"))
    assert said[:2] == said[2:]


def test_nothing_that_can_be_asked_names_another_client(rival: Path) -> None:
    for sql in (
        "SELECT * FROM duckdb_views",
        "SELECT * FROM duckdb_tables",
        "SELECT current_setting('allowed_paths')",
        "SELECT current_setting('temp_directory')",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM pg_catalog.pg_settings",
        "SHOW ALL TABLES",
        "SHOW DATABASES",
    ):
        assert "rival" not in str(rows(sql))


def test_the_lock_holds_even_if_the_text_were_not_looked_at(rival: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("landfall.confined.check_select", lambda connection, sql: None)
    for sql in (
        f"FROM read_parquet('{rival}')",
        "FROM read_text('/etc/passwd')",
        "FROM glob('/**')",
        "INSTALL httpfs",
        "LOAD httpfs",
        f"ATTACH '{rival.parent}/x.db'",
        f"COPY (SELECT 1) TO '{rival.parent}/x.csv'",
        "SET enable_external_access = true",
        "SET allowed_paths = ['/etc/passwd']",
        "SET memory_limit = '64GB'",
    ):
        with pytest.raises(QueryRefused):
            rows(sql)


def test_a_statement_nested_without_end_is_a_sentence() -> None:
    with pytest.raises(QueryRefused):
        rows("SELECT " + "(" * 50_000 + "1" + ")" * 50_000)


def test_memory_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_QUERY__MEMORY", "32MB")
    load_settings.cache_clear()
    with pytest.raises(QueryRefused, match=r"more memory.*query\.memory"):
        rows("SELECT md5(i::VARCHAR) AS m FROM range(5000000) t(i) ORDER BY m")


def test_rows_come_as_they_are_taken() -> None:
    result = query("demo", "SELECT i FROM range(1000000000000) t(i)")
    assert [next(result.rows) for _ in range(3)] == [(0,), (1,), (2,)]


def test_a_fault_while_rows_come_is_a_sentence() -> None:
    result = query("demo", "SELECT CASE WHEN i = 500000 THEN error('late') ELSE i END FROM range(1000000) t(i)")
    with pytest.raises(QueryRefused, match="late"):
        list(result.rows)


def test_without_a_grant_no_sql_is_run(as_user: Callable[[str], None]) -> None:
    as_user("eve")
    with pytest.raises(AccessDenied):
        query("demo", "SELECT 1")


def test_columns_are_named_each_once() -> None:
    assert query("demo", "SELECT 1 AS n, 2 AS n, 3 AS n_1, 4 AS n").columns == ("n", "n_2", "n_1", "n_3")


def rendered(sql: str, form: Format, capsys: pytest.CaptureFixture[str]) -> str:
    render(query("demo", sql), form)
    return capsys.readouterr().out


MANY = """SELECT 1 AS number, 'a "quoted", é' AS text, NULL AS nothing, DATE '2026-02-28' AS day, true AS yes,
    TIMESTAMP '2026-02-28 01:02:03' AS moment, 1.50::DECIMAL(5, 2) AS price, [1, 2] AS list, {'a': 'x'} AS struct,
    '\\x00\\xFF'::BLOB AS bytes, 'nan'::DOUBLE AS nan, 170141183460469231731687303715884105727::HUGEINT AS huge"""


def test_json_holds_every_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(rendered(MANY, "json", capsys)) == [
        {
            "number": 1,
            "text": 'a "quoted", é',
            "nothing": None,
            "day": "2026-02-28",
            "yes": True,
            "moment": "2026-02-28T01:02:03",
            "price": "1.50",
            "list": [1, 2],
            "struct": {"a": "x"},
            "bytes": "00ff",
            "nan": None,
            "huge": 2**127 - 1,
        }
    ]


def test_csv_holds_every_type(capsys: pytest.CaptureFixture[str]) -> None:
    header, row = csv.reader(io.StringIO(rendered(MANY, "csv", capsys)))
    assert header[:3] == ["number", "text", "nothing"]
    assert row == [
        "1", 'a "quoted", é', "", "2026-02-28", "true", "2026-02-28T01:02:03",
        "1.50", "[1, 2]", '{"a": "x"}', "00ff", "nan", str(2**127 - 1),
    ]  # fmt: skip


@pytest.mark.parametrize(("rows", "lines"), [(0, 1), (1, 3), (2, 4)])
def test_json_is_an_array_of_any_length(rows: int, lines: int, capsys: pytest.CaptureFixture[str]) -> None:
    text = rendered(f"SELECT i FROM range({rows}) t(i)", "json", capsys)
    assert json.loads(text) == [{"i": number} for number in range(rows)]


def test_a_table_has_an_end_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    text = rendered(f"SELECT i FROM range({TABLE_ROWS + 1}) t(i)", "table", capsys)
    assert f"{TABLE_ROWS - 1}\n" in text
    assert "first 1,000 rows" in text
    assert "first" not in rendered(f"SELECT i FROM range({TABLE_ROWS}) t(i)", "table", capsys)


def test_a_table_obeys_nothing_that_a_value_says(capsys: pytest.CaptureFixture[str]) -> None:
    text = rendered("SELECT chr(27) || '[2J[red]x[/red]' AS v", "table", capsys)
    assert "\x1b" not in text
    assert "[red]x[/red]" in text


def test_a_table_that_is_not_there_is_told_with_where_to_look() -> None:
    with pytest.raises(QueryRefused, match="Table with name nothing does not exist") as raised:
        rows("SELECT * FROM nothing")
    assert "SHOW TABLES" in raised.value.fix
