from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfall.onboarding import toml

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALAR = st.one_of(TEXT, st.booleans(), st.integers(-(1 << 62), 1 << 62), st.floats(allow_nan=False))


@given(fields=st.dictionaries(TEXT, st.one_of(SCALAR, st.lists(SCALAR))))
def test_what_is_written_is_read_back(fields: dict[str, Any]) -> None:
    assert tomllib.loads(toml.text([toml.table("[feed]", fields)]))["feed"] == fields


@given(remark=st.text())
def test_a_remark_is_no_more_than_that(remark: str) -> None:
    text = toml.text([toml.table("", {"a": 1, "b": 2}, {"a": remark})])
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert tomllib.loads(text) == {"a": 1, "b": 2}


def test_a_text_that_is_no_unicode() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        toml.value("\udcff")
