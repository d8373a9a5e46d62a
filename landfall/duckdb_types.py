"""Types of columns as DuckDB writes them.

DuckDB would tell them of an Arrow table too, but loads pandas for it, which takes longer than most queries.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from targets.column_types import arrow_type

_SIMPLE: Mapping[pa.DataType, str] = {
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.date32(): "DATE",
    pa.timestamp("us", tz="UTC"): "TIMESTAMP WITH TIME ZONE",
    pa.timestamp("us"): "TIMESTAMP",
    pa.null(): '"NULL"',
}


def duckdb_columns(columns: Mapping[str, str]) -> dict[str, str]:
    """Columns by name with DuckDB's types, of columns with Spark's, as a description has them."""
    return {name: duckdb_type(arrow_type(written)) for name, written in columns.items()}


def duckdb_type(kind: pa.DataType) -> str:
    """How DuckDB writes an Arrow type that a column may have (see ``targets.column_types``)."""
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_list(kind):
        return f"{duckdb_type(kind.value_type)}[]"
    if pa.types.is_map(kind):
        return f"MAP({duckdb_type(kind.key_type)}, {duckdb_type(kind.item_type)})"
    if pa.types.is_struct(kind):
        fields = (f'"{field.name.replace(chr(34), chr(34) * 2)}" {duckdb_type(field.type)}' for field in kind)
        return f"STRUCT({', '.join(fields)})"
    return _SIMPLE[kind]
