"""``landfall trace``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from landfall.arguments import ClientOption

if TYPE_CHECKING:
    from landfall.tracing import Trace


def trace(
    client: ClientOption,
    table: Annotated[str, typer.Option(help="Any table of the client: fact, dimension, mart.", show_default=False)],
    where: Annotated[
        str, typer.Option(help="Which rows: SQL (DuckDB) over the table's columns; left out: all.", show_default=False)
    ] = "",
    limit: Annotated[int, typer.Option(help="How many lines at most.", min=1)] = 100,
    form: Annotated[Literal["table", "json"], typer.Option("--format", help="How it is written.")] = "table",
) -> None:
    """Show the way back from rows of a table: what made them, of which drops, of which lines of the client's files.

    For a mart, lines are found where the SELECT that made it says which rows it is of; else all lines of the drops that
    it read count, and it says so.
    """
    from conf.settings import load_settings
    from landfall.limits import hold_memory
    from landfall.terminal import show_json
    from landfall.tracing import trace as traced

    hold_memory(load_settings().query.memory)
    found = traced(client, table, where, limit)
    if form == "json":
        show_json(asdict(found))
    else:
        _show(found)


def _show(found: Trace) -> None:
    from landfall.terminal import count, say, show_table

    say(f"{count(found.rows, 'row')} of {found.table}")
    if found.made:
        say()
        show_table(
            ["table", "made by", "build", "read", "still the same"],
            [
                [one.table, one.by, ", ".join(one.builds), ", ".join(one.reads), "yes" if one.current else "no"]
                for one in found.made
            ],
        )
    if not found.drops:
        return
    say()
    show_table(
        ["drop", "feed", "file", "received", "lines"],
        [[drop.id[:12], drop.feed, drop.name, f"{drop.received:%F %T}", f"{drop.lines:,}"] for drop in found.drops],
        ["lines"],
    )
    say()
    if found.how != "each line":
        say(f"Lines: {found.how}" + (f", for {found.why}." if found.why else "."))
        return
    names = {drop.id: drop.name for drop in found.drops}
    show_table(
        ["file", "entry", "line", "in"],
        [[names[line.drop], line.entry, line.line, line.through] for line in found.lines],
        ["entry", "line"],
    )
    if found.more:
        say(f"These are the first {len(found.lines):,} lines; --limit gives more.")
