"""Lines that go no further -> the table ``settled``."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column as Sql
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from conf.feeds import RecordsFeed
from conf.rules import RULES
from spark_jobs.fields import SHOWN
from spark_jobs.records.duplicates import Taken
from spark_jobs.records.shape import FAULT, SETTLED, schema


def settle(bad: DataFrame | None, taken: Taken, feed: RecordsFeed, *, several: bool) -> DataFrame | None:
    """The bad lines, and the good ones that repeat another -> SETTLED and _range; ``fields`` are to be read yet.

    Args:
        several: whether the drop has several entries, so that a line alone does not say which it is.

    Returns:
        None if there are none.
    """
    found = [] if bad is None else [_quarantined(bad)]
    found += (_shaped(_repeated(which.rows, code, feed, several)) for code, which in taken.items())
    return reduce(DataFrame.unionByName, found) if found else None


def _quarantined(bad: DataFrame) -> DataFrame:
    first = F.col("_faults")[0]
    return _shaped(
        bad.withColumns(
            {
                "outcome": F.lit("quarantined"),
                **{name: first[name] for name in ("rule", "value", "message")},
                "first_entry": F.lit(None),
                "first_line": F.lit(None),
                "faults": F.col("_faults"),
            }
        )
    )


def _shaped(lines: DataFrame) -> DataFrame:
    types = {field.name: field.dataType for field in schema(SETTLED)}
    columns = [
        (F.lit(None) if name == "fields" else F.col(name)).cast(kind).alias(name) for name, kind in types.items()
    ]
    return lines.select("_range", *columns)


def _repeated(lines: DataFrame, code: str, feed: RecordsFeed, several: bool) -> DataFrame:
    """Lines of ``duplicates.taken`` -> with outcome, rule, value, message and faults."""
    rule = RULES[code]
    first = F.col("_first_line").cast("string")
    first = F.concat_ws(":", F.col("_first_entry"), first) if several or "_drop" in lines.columns else first
    places = {"first": first}
    if "_drop" in lines.columns:
        places["drop"] = F.left("_drop", F.lit(12))
    message = _filled(rule.message, places)
    key = F.concat_ws(", ", *(F.col(name).cast("string") for name in feed.key)) if feed.key else F.lit(None)
    value = first if rule.outcome == "duplicate" else F.left(key, F.lit(SHOWN))
    column = F.lit(feed.key[0] if len(feed.key) == 1 else None)
    fault = F.struct(column, F.lit(code), value, message, F.lit(rule.fix)).cast(FAULT)
    said = {"outcome": F.lit(rule.outcome), "rule": F.lit(code), "value": value, "message": message}
    said |= {name: F.col(f"_{name}") for name in ("first_entry", "first_line")}
    return lines.withColumns({**said, "faults": F.array(fault)})


def _filled(template: str, values: dict[str, Sql]) -> Sql:
    """A message with columns in its places."""
    text = F.lit(template)
    for name, value in values.items():
        text = F.replace(text, F.lit(f"{{{name}}}"), value)
    return text
