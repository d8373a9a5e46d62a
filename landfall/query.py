"""One SELECT over a client's star, and its rows as a table, CSV or JSON."""

from __future__ import annotations

import csv
import itertools
import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any, Literal, get_args

import duckdb

from conf.settings import load_settings
from landfall import confined
from landfall.limits import Watch
from landfall.star import Star, open_star
from landfall.terminal import say, show_table

Format = Literal["table", "csv", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)

_BATCH = 1024
# A table on a terminal is laid out as a whole, so it has an end; CSV and JSON have none.
TABLE_ROWS = 1000


@dataclass(frozen=True)
class Result:
    """What a query gives.

    Attributes:
        columns: their names, each once.
        rows: as they come; taking them may raise QueryRefused.
    """

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


def query(client: str, sql: str, month_of: date | None = None) -> Result:
    """Runs one SELECT over the client's published tables.

    Args:
        month_of: only drops that were received in the month of this day; None: all.

    Raises:
        AccessDenied: the caller may not query the client; nothing of it was read.
        NotFound: there is no such client.
        QueryRefused: the text is not one SELECT over its tables, or DuckDB cannot run it.
    """
    return run(open_star(client, month_of=month_of), sql, load_settings().query.seconds)


def run(star: Star, sql: str, seconds: float | None = None) -> Result:
    """Runs one SELECT over an open star.

    Args:
        seconds: how long DuckDB may work on it; None: as long as it takes.
    """
    cursor = star.cursor()
    watch = Watch(cursor, seconds)
    watch.call(lambda: star.execute(sql, cursor))
    return Result(_each_once([column[0] for column in cursor.description]), _rows(cursor, watch))


def render(result: Result, form: Format) -> None:
    """Writes the rows to standard output.

    Args:
        form: ``table`` for people (the first 1,000 rows); ``csv`` with a header; ``json``, an array of objects.
    """
    if form == "table":
        _table(result)
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(result.columns)
        writer.writerows([_text(cell) for cell in row] for row in result.rows)
    else:
        _json(result)


def _rows(cursor: duckdb.DuckDBPyConnection, watch: Watch) -> Iterator[tuple[Any, ...]]:
    with cursor:
        try:
            while batch := watch.call(lambda: cursor.fetchmany(_BATCH)):
                yield from batch
        except duckdb.Error as error:
            raise confined.refusal(error) from error


def _table(result: Result) -> None:
    shown = list(itertools.islice(result.rows, TABLE_ROWS))
    numbers = [
        name
        for place, name in enumerate(result.columns)
        if shown and all(isinstance(row[place], int | float | Decimal | None) for row in shown)
    ]
    show_table(result.columns, ([_text(cell) for cell in row] for row in shown), numbers)
    if next(result.rows, None) is not None:
        say(f"These are the first {TABLE_ROWS:,} rows; --format csv and --format json give all.")


def _json(result: Result) -> None:
    between = "[\n"
    for row in result.rows:
        cells = dict(zip(result.columns, map(_json_value, row), strict=True))
        sys.stdout.write(between + json.dumps(cells, allow_nan=False))
        between = ",\n"
    sys.stdout.write("[]\n" if between == "[\n" else "\n]\n")


def _text(cell: Any) -> str:
    """A cell of a table or of CSV: nothing for null, ISO 8601 for times, JSON for lists and structs."""
    if cell is None:
        return ""
    if isinstance(cell, bool | list | dict):
        return json.dumps(_json_value(cell), ensure_ascii=False)
    return str(_json_value(cell)) if isinstance(cell, date | time | bytes) else str(cell)


def _json_value(cell: Any) -> Any:
    """A cell as JSON can say it: text for times, bytes in hex, null for what is no number."""
    if isinstance(cell, dict):
        return {str(name): _json_value(value) for name, value in cell.items()}
    if isinstance(cell, list | tuple):
        return [_json_value(value) for value in cell]
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, bytes):
        return cell.hex()
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if cell is None or isinstance(cell, bool | int | str):
        return cell
    return str(cell)


def _each_once(names: Sequence[str]) -> tuple[str, ...]:
    """The names; one that stands there already gets a number, as in ``n, n_1``."""
    once: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in itertools.count(1))
        free = (one for one in numbered if one not in names and one not in once)
        once.append(next(free) if name in once else name)
    return tuple(once)
