"""SQL of configurations: what is taken, and what each mistake is called."""

from __future__ import annotations

import pytest

from conf.expressions import expression, select

COLUMNS = {"a": "int", "b": "int", "day_of_sale": "date", "name": "string"}


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("a * b", "TRY_MULTIPLY(a, b)"),
        ("a / b + 1", "TRY_ADD(TRY_DIVIDE(a, b), 1)"),
        ("a % b", "TRY_MOD(a, b)"),
        ("a div b", "a DIV NULLIF(b, 0)"),
        ("-a - b", "TRY_SUBTRACT(TRY_SUBTRACT(0, a), b)"),
        ("abs(a)", "IF(a < 0, TRY_SUBTRACT(0, a), a)"),
        ("cast(name as decimal(12,2))", "TRY_CAST(name AS DECIMAL(12, 2))"),
        ("int(name)", "TRY_CAST(name AS INT)"),
        ("split(name, '-')[3]", "GET(SPLIT(name, '-'), 3)"),
        ("to_date(name, 'dd/MM/yyyy')", "TRY_TO_DATE(name, 'dd/MM/yyyy')"),
        ("to_timestamp(name, 'yyyy')", "TRY_TO_TIMESTAMP(name, 'yyyy')"),
        ("day_of_sale + interval 3 days", "TRY_ADD(day_of_sale, INTERVAL '3' DAYS)"),
        ("case when (a > 1) then 'x' else null end", "CASE WHEN (a > 1) THEN 'x' ELSE NULL END"),
        ("a in (1, 2) and not (b is null)", "a IN (1, 2) AND NOT (b IS NULL)"),
        ("name rlike '[a-z]{2}'", "name RLIKE '[a-z]{2}'"),
        ("day_of_sale >= date'2026-01-01'", "day_of_sale >= CAST('2026-01-01' AS DATE)"),
    ],
)
def test_an_expression_is_written_so_that_no_row_stops_a_drop(text: str, sql: str) -> None:
    assert expression(text, COLUMNS).sql == sql


def test_an_expression_names_the_columns_that_it_reads() -> None:
    assert expression("a + coalesce(b, 1)", COLUMNS).columns == {"a", "b"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("reflect('java.lang.System', 'exit', 1)", "the function 'reflect' is not allowed"),
        ("`reflect`('java.lang.System', 'exit', 1)", "the function 'reflect' is not allowed"),
        ("JAVA_METHOD /* x */ ('a', 'b')", "the function 'java_method' is not allowed"),
        ("try_reflect('a', 'b')", "'try_reflect' is not allowed"),
        ("input_file_name()", "'input_file_name' is not allowed"),
        ("lowr(name)", "the function 'lowr' is not allowed; did you mean 'lower'?"),
        ("current_date", "current_date is not allowed: what is made of a drop may not depend on when or where"),
        ("current_timestamp() > day_of_sale", "current_timestamp is not allowed"),
        ("current_user", "current_user is not allowed"),
        ("rand()", "rand is not allowed"),
        ("aa + 1", "there is no column 'aa'; did you mean 'a'?"),
        ("t.a", "'t.a' must be a column's name alone"),
        ("(select 1)", "it must be one expression, without SELECT or AS"),
        ("a in (select b from c)", "has no place in an expression here"),
        ("exists(select 1)", "has no place in an expression here"),
        ("a as b", "it must be one expression, without SELECT or AS"),
        ("sum(a)", "the function 'sum' is not allowed"),
        ("sum(a) over ()", "has no place"),
        ("*", "'*' has no place in an expression here"),
        ("transform(a, x -> x + 1)", "has no place in an expression here"),
        ("a = :p", "':p' has no place"),
        ("a; drop table t", "it must be one expression, and nothing else"),
        ("", "it must be one expression, and nothing else"),
        ("a +", "it cannot be read as SQL"),
        ("'never ends", "it cannot be read as SQL"),
        ("name rlike '(a+)+'", "a group is not repeated"),
        ("name rlike name", "must be a text in quotes"),
        ("regexp_replace(name, '(a|a)*b', '')", "the regular expression"),
        ("(" * 3000 + "a" + ")" * 3000, "it"),
        ("a + " * 6000 + "a", "at most 20,000 characters"),
    ],
)
def test_an_expression_that_is_not_taken_is_told_why(text: str, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        expression(text, COLUMNS)
    assert told in str(caught.value)


def test_a_select_names_its_tables_and_columns() -> None:
    found = select(
        "with recent as (select * from fact_orders where total > 1) "
        "select r.day, sum(r.total) as total from recent r join dim_drop d on r.drop_key = d.drop_key group by 1 "
        "union all select day, total from mart_old"
    )
    assert found.tables == {"fact_orders", "dim_drop", "mart_old"}
    assert found.columns == ("day", "total")
    assert select("select t.* from t").columns is None


def test_a_part_of_a_with_hides_no_table_of_its_own_name() -> None:
    assert select("with t as (select * from t) select x from t").tables == {"t"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("insert into t select 1", "it must be one SELECT, and nothing else"),
        ("create table t as select 1", "it must be one SELECT"),
        ("drop table t", "it must be one SELECT"),
        ("set x = 1", "it must be one SELECT"),
        ("explain select 1", "it must be one SELECT"),
        ("select 1; select 2", "it must be one SELECT"),
        ("values (1)", "it must be one SELECT"),
        ("select a from parquet.`/etc`", "must be a table's name alone"),
        ("select a from `parquet`.`/etc`", "must be a table's name alone"),
        ("select * from read_files('/etc')", "the function 'read_files' is not allowed"),
        ("select * from range(10)", "the function 'range' is not allowed"),
        ("select transform(a) using 'cat' as (b) from t", "has no place in a SELECT here"),
        ("select reflect('a', 'b') as x from t", "'reflect' is not allowed"),
        ("select a from t where x in (select java_method('a', 'b') from u)", "'java_method' is not allowed"),
        ("select /*+ broadcast(t) */ a from t", "has no place"),
        ("select a + 1 from t", "'a + 1' needs a name (… AS name)"),
        ("select a, b as a from t", "it gives two columns one name (a)"),
        ("select current_date as d from t", "current_date is not allowed"),
        ("select a into x from t", "has no place"),
    ],
)
def test_a_select_that_is_not_taken_is_told_why(text: str, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        select(text)
    assert told in str(caught.value)
