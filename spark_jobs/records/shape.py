"""The tables that Validate of a feed of records writes, and the text in which it reads them first."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql.types import StructType

from conf.feeds import RecordsFeed
from conf.feeds.values import spark_type

LINE = ("entry", "line")
PLACE = ("_range", *LINE)
CORRECTS = ("corrects_drop", "corrects_line")

# One line of a file as text: what is wrong with it as a whole, or its columns (``text_name``). range: its place in the
# index.
TEXT = pa.schema(
    [
        pa.field("_range", pa.int32(), nullable=False),
        pa.field("entry", pa.int32(), nullable=False),
        pa.field("line", pa.int64(), nullable=False),
        pa.field("corrects_drop", pa.string()),
        pa.field("corrects_line", pa.string()),
        pa.field("_rule", pa.string()),
        pa.field("_value", pa.string()),
        pa.field("_message", pa.string()),
    ]
)

_FAULT = ("column", "rule", "value", "message", "fix")
FAULT = f"struct<{','.join(f'{name}:string' for name in _FAULT)}>"
SETTLED = pa.schema(
    [
        ("entry", pa.int32()),
        ("line", pa.int64()),
        *((name, pa.string()) for name in ("outcome", "rule", "value", "message")),
        ("first_entry", pa.int32()),
        ("first_line", pa.int64()),
        *((name, pa.string()) for name in CORRECTS),
        ("fields", pa.map_(pa.string(), pa.string())),
        ("faults", pa.list_(pa.struct([(name, pa.string()) for name in _FAULT]))),
    ]
)
WARNINGS = "entry int, line bigint, rule string, message string"


def text_name(number: int) -> str:
    """The column that holds the text of the feed's column of this number (among those read from the file)."""
    return f"_{number}"


def text_schema(feed: RecordsFeed) -> pa.Schema:
    """TEXT and the texts of the columns that the feed reads."""
    texts = [pa.field(text_name(number), pa.string()) for number in range(len(feed.read))]
    return pa.schema([*TEXT, *texts])


def records_ddl(feed: RecordsFeed) -> str:
    """The table ``records``, in the words of Spark's DDL."""
    columns = [f"`{column.name}` {spark_type(column.type)}" for column in feed.columns]
    return ", ".join(["entry int, line bigint, corrects_drop string, corrects_line string", *columns])


def schema(ddl: str) -> StructType:
    """A schema from the words of Spark's DDL."""
    found = StructType.fromDDL(ddl)
    assert isinstance(found, StructType)
    return found
