"""Types as DuckDB writes them are those that DuckDB itself tells of an Arrow table."""

from __future__ import annotations

import duckdb
import pyarrow as pa
from hypothesis import given

from landfall.duckdb_types import duckdb_columns, duckdb_type
from targets.column_types import arrow_type
from tests.targets.test_column_types import WRITTEN


@given(WRITTEN)
def test_a_type_is_what_duckdb_tells_of_it(written: str) -> None:
    kind = arrow_type(written)
    with duckdb.connect() as connection:
        [told] = connection.from_arrow(pa.schema([("a", kind)]).empty_table()).types
        [(cast,)] = connection.execute(f"SELECT typeof(NULL::{duckdb_type(kind)})").fetchall()
        assert cast == str(told)


def test_columns_keep_their_names_and_order() -> None:
    assert list(duckdb_columns({"b": "bigint", "a": "void"}).items()) == [("b", "BIGINT"), ("a", '"NULL"')]
