"""Types of columns: what is written is read back."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.column_types import arrow_type, written_type

SIMPLE = [
    "string", "binary", "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "date", "timestamp",
    "timestamp_ntz",
]  # fmt: skip
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
WRITTEN = st.recursive(
    st.sampled_from(SIMPLE) | st.builds("decimal({},{})".format, st.integers(20, 38), st.integers(0, 20)),
    lambda inner: st.one_of(
        st.builds("array<{}>".format, inner),
        st.builds("map<{},{}>".format, st.sampled_from(SIMPLE), inner),
        st.dictionaries(NAMES, inner, min_size=1, max_size=3).map(
            lambda fields: f"struct<{','.join(f'{name}:{kind}' for name, kind in fields.items())}>"
        ),
    ),
    max_leaves=5,
)


@given(WRITTEN)
def test_what_is_written_is_read_back(written: str) -> None:
    assert written_type(arrow_type(written)) == written


def test_types_are_those_of_sparks_words() -> None:
    assert arrow_type("decimal(12,2)") == pa.decimal128(12, 2)
    assert arrow_type("timestamp_ntz") == pa.timestamp("us")
    assert arrow_type("array<struct<a:int,b:map<string,date>>>") == pa.list_(
        pa.struct([("a", pa.int32()), ("b", pa.map_(pa.string(), pa.date32()))])
    )


@pytest.mark.parametrize(
    "written",
    ["", "text", "decimal", "decimal(1)", "array<int", "array<>", "map<int>", "struct<a>", "int)", "int int", "$"],
)
def test_what_is_no_type_is_said_to_be_none(written: str) -> None:
    with pytest.raises(ValueError, match=r"type of a column|decimal is written"):
        arrow_type(written)
