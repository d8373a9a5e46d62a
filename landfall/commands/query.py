"""``landfall query`` and ``landfall tables``."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated, Literal

import typer

from landfall.arguments import ClientOption, JsonOption


def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT.", show_default=False)],
    client: ClientOption,
    form: Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How rows are written.")] = "table",
    month: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m"],
            metavar="YYYY-MM",
            help="Only what was received in this month (UTC): however many drops there are, no others are opened.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int, typer.Option(help="How many rows at most; 0: all.", min=0)] = 0,
) -> None:
    """Ask SQL (DuckDB) of a client's star: one SELECT over its published tables, which can reach nothing else."""
    import itertools

    from conf.settings import load_settings
    from landfall import query as asking
    from landfall.limits import hold_memory
    from landfall.terminal import safe

    hold_memory(load_settings().query.memory)
    result = asking.query(client, sql, month)
    rows = itertools.islice(result.rows, limit) if limit else result.rows
    if form == "csv" and sys.stdout.isatty():
        rows = (tuple(safe(cell) if isinstance(cell, str) else cell for cell in row) for row in rows)
    asking.render(asking.Result(result.columns, rows), form)


def tables(client: ClientOption, as_json: JsonOption = False) -> None:
    """List the tables of a client's star with their rows and columns."""
    from landfall.star import open_star
    from landfall.terminal import say, show_json, show_table

    with open_star(client) as star:
        tables = star.tables()
        rows = {table: star.sql(f'SELECT count(*) FROM "{table}"').fetchall()[0][0] for table in tables}  # noqa: S608
        columns = {table: [f"{field.name} {field.type}" for field in star.columns(table)] for table in tables}
    if as_json:
        show_json([{"table": table, "rows": rows[table], "columns": columns[table]} for table in tables])
        return
    show_table(
        ["table", "rows", "columns"], [[t, f"{rows[t]:,}", len(columns[t])] for t in tables], ["rows", "columns"]
    )
    for table in tables:
        say()
        say(table, style="bold")
        say("  " + ", ".join(columns[table]))
