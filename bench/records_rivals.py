"""The rivals: DuckDB in SQL and stock PySpark (PERMISSIVE) do to a CSV of orders what Landfall does.

Both check the same rules, keep the first record of a key, write the good records as Parquet partitioned by month, and
the rejected ones with the first rule that they break. Neither says on which line of the file a rejected row stands.

Usage: ``python -m bench.records_rivals duckdb|pyspark FILE GOAL``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.records_rows import COLUMNS, FEED

_RULES = """
    case
        when order_id is null then 'key.missing'
        when not regexp_full_match(order_id, '[a-z]{2}[0-9]{8}') then 'value.pattern'
        when customer is null then 'value.missing'
        when length(customer) not between 3 and 20 then 'value.length'
        when country not in ('DE', 'FR', 'IT', 'PL', 'SE', 'US') then 'value.one_of'
        when quantity is null then 'value.type'
        when quantity < 1 then 'value.min'
        when quantity > 1000 then 'value.max'
        when unit_price is null or not regexp_full_match(r_unit_price, '[+-]?[0-9]*(\\.[0-9]{0,2}0*)?')
            then 'value.type'
        when unit_price < 0 then 'value.min'
        when r_weight is not null and weight is null then 'value.type'
        when weight > 1000 then 'value.max'
        when r_gift is not null and gift is null then 'value.type'
        when ordered_at is null then 'value.type'
        when ordered_at > timestamp '2026-11-27 12:00:00' then 'value.future'
        when r_shipped_on is not null and shipped_on is null then 'value.type'
        when shipped_on < cast(ordered_at as date) then 'row.shipped'
    end
"""
_TYPES = {
    "quantity": "int",
    "unit_price": "decimal(10,2)",
    "weight": "double",
    "gift": "boolean",
    "ordered_at": "timestamp",
    "shipped_on": "date",
}


def duckdb(file: Path, goal: Path) -> None:
    """DuckDB, with as many threads as there are cores."""
    import duckdb as library

    con = library.connect(str(goal / "work.duckdb"))
    con.execute("set preserve_insertion_order = true")
    names = COLUMNS.split(",")
    texts = {name: f"nullif(trim(c_{name}), '')" for name in names}
    texts["order_id"], texts["country"] = f"lower({texts['order_id']})", f"upper({texts['country']})"
    columns = ", ".join(f"'c_{name}': 'varchar'" for name in names)
    con.execute(
        f"create table raw as select row_number() over () as place, {', '.join(f'{texts[n]} as r_{n}' for n in names)} "
        f"from read_csv('{file}', header = true, delim = ',', quote = '\"', escape = '\"', auto_detect = false, "
        f"store_rejects = true, columns = {{{columns}}})"
    )
    typed = ", ".join(
        f"try_cast(r_{name} as {_TYPES[name]}) as {name}" if name in _TYPES else f"r_{name} as {name}" for name in names
    )
    con.execute(f"create table typed as select *, {_RULES} as rule from (select *, {typed} from raw)")
    con.execute(
        "create table kept as select * from (select *, row_number() over (partition by order_id order by place) as nth "
        "from typed where rule is null)"
    )
    good = f"select {COLUMNS}, strftime(ordered_at, '%Y-%m') as month from kept where nth = 1"
    con.execute(f"copy ({good}) to '{goal}/fact' (format parquet, partition_by (month))")
    bad = (
        f"select place, rule, {', '.join(f'r_{n}' for n in names)} from typed where rule is not null union all "
        f"select place, 'duplicate.in_drop', {', '.join(f'r_{n}' for n in names)} from kept where nth > 1"
    )
    con.execute(f"copy ({bad}) to '{goal}/rejects.parquet' (format parquet)")
    con.execute(f"copy (select * from reject_errors) to '{goal}/broken.parquet' (format parquet)")
    counts = (
        "(select count(*) from kept where nth = 1), (select count(*) from typed), (select count(*) from reject_errors)"
    )
    print(con.execute(f"select {counts}").fetchone())


def pyspark(file: Path, goal: Path) -> None:
    """PySpark as its manual shows it: a schema, PERMISSIVE, multiLine for the line ends within quotes."""
    from pyspark.sql import SparkSession, Window
    from pyspark.sql import functions as F  # noqa: N812

    spark = SparkSession.builder.master("local[*]").config("spark.driver.memory", "2g").getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    ddl = ", ".join(f"{name} {_TYPES.get(name, 'string')}" for name in COLUMNS.split(","))
    raw = (
        spark.read.schema(f"{ddl}, broken string")
        .option("header", True)
        .option("mode", "PERMISSIVE")
        .option("columnNameOfCorruptRecord", "broken")
        .option("multiLine", True)
        .option("escape", '"')
        .csv(str(file))
        .withColumns(
            {
                "order_id": F.lower(F.trim("order_id")),
                "country": F.upper(F.trim("country")),
                "customer": F.trim("customer"),
                "place": F.monotonically_increasing_id(),
            }
        )
    )
    checks = {
        "csv": F.col("broken").isNotNull(),
        "key.missing": F.coalesce(F.col("order_id"), F.lit("")) == "",
        "value.pattern": ~F.col("order_id").rlike("^[a-z]{2}[0-9]{8}$"),
        "value.missing": F.coalesce(F.col("customer"), F.lit("")) == "",
        "value.length": ~F.length("customer").between(3, 20),
        "value.one_of": ~F.col("country").isin(FEED["columns"][2]["one_of"]),
        "value.min": (F.col("quantity") < 1) | (F.col("unit_price") < 0),
        "value.max": (F.col("quantity") > 1000) | (F.col("weight") > 1000),
        "value.future": F.col("ordered_at") > F.lit("2026-11-27 12:00:00").cast("timestamp"),
        "row.shipped": F.col("shipped_on") < F.to_date("ordered_at"),
    }
    rule = F.coalesce(*(F.when(check, F.lit(name)) for name, check in checks.items()))
    checked = raw.withColumn("rule", rule).cache()
    nth = F.row_number().over(Window.partitionBy("order_id").orderBy("place"))
    kept = checked.where("rule is null").withColumn("nth", nth)
    month = F.date_format("ordered_at", "yyyy-MM")
    good = kept.where("nth = 1").drop("nth", "rule", "broken", "place").withColumn("month", month)
    good.write.partitionBy("month").parquet(f"{goal}/fact")
    again = kept.where("nth > 1").drop("nth").withColumn("rule", F.lit("duplicate.in_drop"))
    checked.where("rule is not null").unionByName(again).write.parquet(f"{goal}/rejects")
    print(spark.read.parquet(f"{goal}/fact").count(), spark.read.parquet(f"{goal}/rejects").count())
    spark.stop()


if __name__ == "__main__":
    {"duckdb": duckdb, "pyspark": pyspark}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
