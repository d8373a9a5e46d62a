"""A list of clients: a CSV with a feed a row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from conf.errors import ConfigError, LandfallError, NotFound
from conf.names import is_name, name_rule
from conf.problems import nearest, shown
from conf.settings import Settings
from landfall.onboarding.asked import Asked
from landfall.onboarding.feeds import tables
from landfall.onboarding.plan import Wanted, allow

COLUMNS = ("client", "feed", "kind", "sources", "sample", "operators")
_NEEDED = ("client", "feed")
_MOST_BYTES = 16 << 20


def read_list(file: Path) -> list[tuple[str, dict[str, str]]]:
    """The rows of a list, each with where it stands; ConfigError tells all that is wrong with its form."""
    problems: list[str] = []
    rows: list[tuple[str, dict[str, str]]] = []
    for line, cells in _lines(file):
        where = f"{file}: line {line}"
        if None in cells:
            problems.append(f"{where} has more cells than the header has columns.")
            continue
        row = {name: (cell or "").strip() for name, cell in cells.items()}
        for name in _NEEDED:
            if not is_name(row[name]):
                problems.append(f"{where}: {name} is {shown(row[name])}; {name_rule()}.")
        rows.append((where, row))
    if problems:
        raise ConfigError(*problems)
    if not rows:
        raise ConfigError(f"{file} names no client; it needs a row for each feed.")
    return rows


def wanted(file: Path, settings: Settings, operators: str = "") -> list[Wanted]:
    """What a list asks for. The gate is asked for each of its clients before a sample is read.

    Args:
        operators: a group for the rows that name none.

    Raises:
        AccessDenied: one of the clients may not be made by who asks.
        ConfigError: all that is wrong, at once.
    """
    rows = read_list(file)
    groups = [row.get("operators") or operators for _, row in rows]
    allow(
        Wanted(row["client"], row["feed"], (), group, where=where)
        for (where, row), group in zip(rows, groups, strict=True)
    )
    found: list[Wanted] = []
    problems: list[str] = []
    for (where, row), group in zip(rows, groups, strict=True):
        sample = file.parent / row["sample"] if row.get("sample") else None
        asked = Asked(row["feed"], row.get("kind", ""), tuple(row.get("sources", "").split()), sample)
        try:
            made, _ = tables(asked, settings)
        except LandfallError as error:
            problems += [f"{where}: {one}" for one in getattr(error, "problems", (str(error),))]
            continue
        found.append(Wanted(row["client"], row["feed"], made, group, where=where))
    if problems:
        raise ConfigError(*problems)
    return found


def _lines(file: Path) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Line number and cells by column of every row that is not blank."""
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ConfigError(f"{file} is larger than {_MOST_BYTES} bytes; a list of clients is not.")
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise NotFound(f"There is no file {file}.", "Name a CSV with a row for each feed.") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is not UTF-8 (byte {error.start}); save it as UTF-8.") from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from None
    reader = csv.DictReader(text.splitlines(keepends=True))
    header = [name.strip() for name in reader.fieldnames or ()]
    problems = [
        f"{file}: the column {shown(name)} is none; allowed are {', '.join(COLUMNS)}{nearest(name, COLUMNS)}"
        for name in header
        if name not in COLUMNS
    ]
    problems += [f"{file} has no column {name}." for name in _NEEDED if name not in header]
    if problems:
        raise ConfigError(*problems)
    reader.fieldnames = header
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise ConfigError(f"{file}: line {reader.line_num} is no CSV: {error}.") from None
