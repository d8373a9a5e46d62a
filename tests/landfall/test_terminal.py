from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from landfall import terminal


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    assert terminal.safe(text).isprintable()


@pytest.mark.parametrize(
    ("hostile", "seen"),
    [
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("evil\u202egpj.exe", "evil\\u202egpj.exe"),
        ("two\nlines", "two\\nlines"),
        ("not utf-8 \udcff", "not utf-8 \\udcff"),
        ("Füße and 漢字", "Füße and 漢字"),
    ],
)
def test_characters_that_do_not_print_are_spelled_out(hostile: str, seen: str) -> None:
    assert terminal.safe(hostile) == seen


def test_line_ends_are_kept_where_they_are_wanted() -> None:
    assert terminal.safe("a\nb\x1b", keep="\n") == "a\nb\\x1b"


def test_a_cell_is_no_markup_and_no_escape_sequence(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_table(["name", "n"], [["[red]x[/red] :smile: \x1b[31m", 1], [Text("y"), None]], numbers=["n"])
    assert "[red]x[/red] :smile: \\x1b[31m" in capsys.readouterr().out


def test_a_table_in_a_pipe_keeps_long_cells_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_table(["url"], [["u" * 500]])
    assert "u" * 500 in capsys.readouterr().out


def test_json_is_one_line_of_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_json({"name": "a\x1b\u202e\nb"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out
    assert out.count("\n") == 1


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1,023 bytes"),
        (1024, "1.0 KiB"),
        (5 << 20, "5.0 MiB"),
        (3 << 50, "3,072.0 TiB"),
    ],
)
def test_sizes(number: int, said: str) -> None:
    assert terminal.size(number) == said
