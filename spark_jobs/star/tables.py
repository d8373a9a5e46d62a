"""The columns of every table of a feed of catalogues.

A column is only ever added, never renamed or given another type: old and new files are read together by name.
Times are UTC without a zone. Keys are 32 hex digits (see ``spark_jobs.star.keys``).
"""

from __future__ import annotations

import pyarrow as pa

from targets.column_types import written_type
from targets.tables import Kind, Table

SCHEMA_VERSION = 1

# Upper bounds (milliseconds, exclusive) of the histogram in agg_images_daily; the last bucket has none.
MILLISECONDS = (50, 100, 250, 500, 1000, 2500, 5000, 10000)


def bucket_names() -> list[str]:
    """Columns of the histogram, such as ``ms_50_to_100`` and ``ms_10000_up``."""
    lows = (0, *MILLISECONDS[:-1])
    return [f"ms_{low}_to_{high}" for low, high in zip(lows, MILLISECONDS, strict=True)] + [f"ms_{MILLISECONDS[-1]}_up"]


def _table(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([*columns.items(), ("schema_version", pa.int32())])


_TEXT, _INT, _LONG, _TIME = pa.string(), pa.int32(), pa.int64(), pa.timestamp("us")

TABLES: dict[str, pa.Schema] = {
    # One row a line of a catalogue, whatever became of it. asked_*: the size that the URL asks for; width, height,
    # bytes_in: the picture as it came; bytes_out: the result. image_key is null unless the line is ok, source_key
    # leads to "(none)" where the line names no host. milliseconds: over all attempts.
    "fact_image_request": _table(
        date_key=_TEXT,
        drop_key=_TEXT,
        source_key=_TEXT,
        outcome_key=_TEXT,
        image_key=_TEXT,
        entry=_INT,
        line=_LONG,
        outcome=_TEXT,
        rule=_TEXT,
        value=_TEXT,
        message=_TEXT,
        url=_TEXT,
        asked_width=_INT,
        asked_height=_INT,
        width=_INT,
        height=_INT,
        bytes_in=_LONG,
        bytes_out=_LONG,
        http_status=_INT,
        attempts=_INT,
        milliseconds=_LONG,
        original_id=_TEXT,
        image_id=_TEXT,
        first_entry=_INT,
        first_line=_LONG,
        corrects_drop=_TEXT,
        corrects_line=_TEXT,
    ),
    # The receipt date. week is ISO 8601's.
    "dim_date": _table(
        date_key=_TEXT,
        date=pa.date32(),
        year=_INT,
        quarter=_INT,
        month=_INT,
        week=_INT,
        day=_INT,
        weekday=_TEXT,
        is_weekend=pa.bool_(),
    ),
    "dim_drop": _table(drop_key=_TEXT, drop=_TEXT, client=_TEXT, feed=_TEXT, name=_TEXT, received=_TIME, bytes=_LONG),
    # host, or host:port where the port is not the scheme's own.
    "dim_source": _table(source_key=_TEXT, host=_TEXT),
    # The rules that the drop's lines met. class: ok, quarantined or duplicate.
    "dim_outcome": pa.schema(
        [
            ("outcome_key", _TEXT),
            ("code", _TEXT),
            ("class", _TEXT),
            ("family", _TEXT),
            ("message", _TEXT),
            ("what_to_do", _TEXT),
            ("schema_version", _INT),
        ]
    ),
    # One row a result: the same picture by two URLs is one image. transforms as the transform stage names them.
    "dim_image": _table(
        image_key=_TEXT,
        image_id=_TEXT,
        image_digest=_TEXT,
        original_id=_TEXT,
        width=_INT,
        height=_INT,
        format=_TEXT,
        bytes=_LONG,
        original_width=_INT,
        original_height=_INT,
        original_format=_TEXT,
        original_bytes=_LONG,
        transforms=_TEXT,
    ),
    # Partials of one drop: every measure may be summed over any rows. The buckets count the requests that were sent.
    "agg_images_daily": _table(
        date_key=_TEXT,
        drop_key=_TEXT,
        source_key=_TEXT,
        outcome_key=_TEXT,
        outcome=_TEXT,
        rule=_TEXT,
        requests=_LONG,
        ok=_LONG,
        quarantined=_LONG,
        duplicate=_LONG,
        bytes_in=_LONG,
        bytes_out=_LONG,
        milliseconds=_LONG,
        **dict.fromkeys(bucket_names(), _LONG),
    ),
}

# Dimensions, whose members are appended by every drop that has them: a reader keeps one row a key.
DIMENSION_KEYS = {
    "dim_date": "date_key",
    "dim_drop": "drop_key",
    "dim_source": "source_key",
    "dim_outcome": "outcome_key",
    "dim_image": "image_key",
}


_KINDS: dict[str, Kind] = {"fact": "fact", "dim": "dimension", "agg": "aggregate"}


def described(name: str) -> Table:
    """A table as a manifest describes it."""
    columns = {field.name: written_type(field.type) for field in TABLES[name]}
    return Table(name, _KINDS[name.partition("_")[0]], columns, DIMENSION_KEYS.get(name))


IMAGES = {name: described(name) for name in TABLES}
# What Load makes of a drop; aggregates are a workflow's.
LOADED = {name: table for name, table in IMAGES.items() if table.kind != "aggregate"}
