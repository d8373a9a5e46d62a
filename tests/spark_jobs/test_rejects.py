"""Cells of the rejects file."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.rejects import decode, encode

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT)
def test_text_comes_back(value: str) -> None:
    assert decode(encode(value)) == value


@given(st.binary())
def test_bytes_come_back(value: bytes) -> None:
    back = decode(encode(value))
    assert (back.encode() if isinstance(back, str) else back) == value


@given(TEXT)
def test_no_cell_starts_a_formula_or_holds_nul(value: str) -> None:
    cell = encode(value)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert "\0" not in cell


@given(st.lists(TEXT, min_size=2, max_size=4))
def test_cells_survive_csv(values: list[str]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerow([encode(value) for value in values])
    (row,) = csv.reader(io.StringIO(text.getvalue(), newline=""))
    assert [decode(cell) for cell in row] == values


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("https://example.org/1", "https://example.org/1"),
        ("=1+1", "'=1+1"),
        ("'quoted", "''quoted"),
        ("base64:x", "'base64:x"),
        (b"caf\xe9", "base64:Y2Fm6Q=="),
        ("a\0", "base64:YQA="),
    ],
)
def test_examples(value: str | bytes, cell: str) -> None:
    assert encode(value) == cell


@pytest.mark.parametrize("cell", ["base64:no base 64", "'twas", "plain"])
def test_what_a_person_wrote_is_text(cell: str) -> None:
    assert decode(cell) == cell
