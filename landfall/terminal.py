"""What people and scripts read: sentences, plain tables and JSON, with nothing in them that a terminal obeys."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

# Wide enough that no table breaks in a pipe, where nobody looks at it line by line.
_PIPE_WIDTH = 10_000
_UNITS = ("KiB", "MiB", "GiB", "TiB")


def safe(value: object, keep: str = "") -> str:
    r"""The value as text in which every character that does not print is spelled out (``\x1b``, ``\u202e``).

    File names, URLs and log values are written by strangers; a terminal would obey their escape sequences.

    Args:
        value: anything.
        keep: characters that are left as they are, such as a line end.
    """
    text = str(value)
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else _spelled(one) for one in text)


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def said(value: object, style: str = "") -> Text:
    """The value as rich prints it: safe, and never read as markup."""
    return Text(safe(value), style=style)


def console() -> Console:
    """Standard output as it is now (tests replace it)."""
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return Console(file=sys.stdout, markup=False, emoji=False, highlight=False, soft_wrap=True, width=width)


def say(sentence: object = "", style: str = "") -> None:
    """A sentence on standard output."""
    console().print(said(sentence, style))


def complain(sentence: object) -> None:
    """A sentence on standard error, whose line ends are kept."""
    print(safe(sentence, keep="\n"), file=sys.stderr)


def show_table(headings: Sequence[str], rows: Iterable[Sequence[object]], numbers: Iterable[str] = ()) -> None:
    """A plain table.

    Args:
        headings: of the columns.
        rows: cells; a ``Text`` keeps its style.
        numbers: headings of the columns that stand flush right.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    right = set(numbers)
    for heading in headings:
        table.add_column(safe(heading), justify="right" if heading in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else said("" if cell is None else cell) for cell in row))
    console().print(table, soft_wrap=False)


def show_json(value: Any) -> None:
    """One JSON document on one line; what is not ASCII is escaped, so that it is safe on a terminal too."""
    print(json.dumps(value, default=str))


def count(number: int, one: str, many: str = "") -> str:
    """``1 line``, ``2,000 lines``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: int) -> str:
    """Bytes as a person says them: ``512 bytes``, ``1.5 MiB``."""
    if number < 1024:
        return count(number, "byte")
    power = min((number.bit_length() - 1) // 10, len(_UNITS))
    return f"{number / 1024**power:,.1f} {_UNITS[power - 1]}"
