"""``landfall check``."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from landfall.arguments import ClientArgument, FeedArgument

if TYPE_CHECKING:
    from landfall.checking import Checking, Line

_QUARANTINED = 1


def check(
    client: ClientArgument,
    feed: FeedArgument,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file, plain or packed.", dir_okay=False, show_default=False)
    ],
    every_line: Annotated[bool, typer.Option("--all", help="Show every line, not the first few of each rule.")] = False,
    form: Annotated[
        Literal["table", "csv", "json"],
        typer.Option("--format", help="How it is written; json with --all is an object a line."),
    ] = "table",
) -> None:
    """Say what would become of each line of a file, without landing anything.

    Neither the web nor earlier drops are asked. Ends with 0 if every line would be accepted or is a duplicate, 1 if one
    would be quarantined, 65 if the file would be refused, 75 if it would be held.
    """
    checking = begin(client, feed, file)
    if every_line:
        _show_lines(checking, form)
    else:
        for _ in checking.lines():
            continue
        _show_summary(checking, form)
    if checking.by_outcome("quarantined"):
        raise typer.Exit(_QUARANTINED)


def begin(client: str, feed: str, file: Path) -> Checking:
    """The file, to be checked; the gate is asked first."""
    from auth.gate import authorize
    from conf.client import load_client
    from conf.errors import NotFound
    from conf.feeds import ImagesFeed
    from conf.settings import load_settings
    from landfall.checking import CheckingImages
    from spark_jobs.transforms import names

    authorize(client, "check", feed)
    feeds = load_client(client, names()).feeds
    if feed not in feeds:
        raise NotFound(f"Client {client} has no feed {feed}.", f"Its feeds are: {', '.join(feeds)}.")
    config = feeds[feed]
    if isinstance(config, ImagesFeed):
        return CheckingImages(load_settings(), config, file)
    from landfall.checking_records import CheckingRecords

    return CheckingRecords(load_settings(), client, feed, config, file)


def show_counts(checking: Checking) -> None:
    """What a person wants to know of a file that was checked."""
    from conf.rules import rule
    from landfall.terminal import count, say, show_table

    lines = sum(checking.counts.values())
    say(
        f"{count(lines, 'line')}: {checking.counts['ok']:,} {checking.accepted}, "
        f"{checking.by_outcome('quarantined'):,} would be quarantined, {checking.by_outcome('duplicate'):,} duplicate"
        + (f"; {count(checking.blank, 'blank line')} not counted" if checking.blank else "")
    )
    rows = [
        [code, f"{checking.counts[code]:,}", _place(checking, line), line.message, rule(code).fix]
        for code in sorted(checking.counts.keys() - {"ok"})
        for line in checking.samples[code]
    ]
    if rows:
        show_table(["rule", "lines", "first", "message", "what to do"], _each_rule_once(rows), ["lines", "first"])


def _each_rule_once(rows: list[list[str]]) -> list[list[str]]:
    """The rows, with rule, count and advice on the first row of each rule alone."""
    shown, last = [], ""
    for rule, lines, place, message, fix in rows:
        shown.append(["", "", place, message, ""] if rule == last else [rule, lines, place, message, fix])
        last = rule
    return shown


def _place(checking: Checking, line: Line) -> str:
    return f"{line.entry}:{line.line}" if checking.files > 1 else str(line.line)


def _show_summary(checking: Checking, form: str) -> None:
    from conf.rules import rule
    from landfall.terminal import show_json

    if form == "table":
        show_counts(checking)
        return
    rules = [
        {
            "rule": code,
            "outcome": rule(code).outcome,
            "lines": lines,
            "fix": rule(code).fix,
            "first": [{"entry": one.entry, "line": one.line, "message": one.message} for one in checking.samples[code]],
        }
        for code, lines in sorted(checking.counts.items())
    ]
    if form == "json":
        outcomes = {outcome: checking.by_outcome(outcome) for outcome in ("ok", "quarantined", "duplicate")}
        lines = sum(checking.counts.values())
        show_json({"lines": lines, **outcomes, "blank": checking.blank, "rules": rules})
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["rule", "outcome", "lines", "fix"])
    writer.writerows([one["rule"], one["outcome"], one["lines"], one["fix"]] for one in rules)


def _show_lines(checking: Checking, form: str) -> None:
    """One row a line, as they come: there may be millions."""
    from landfall.terminal import safe, show_json

    writer = csv.writer(sys.stdout, lineterminator="\n")
    if form == "csv":
        writer.writerow(["entry", "line", "outcome", "rule", "message", "url"])
    for line in checking.lines():
        if form == "json":
            show_json({**vars(line), "outcome": line.outcome})
        elif form == "csv":
            cells = (line.outcome, line.rule, line.message, line.url or "")
            writer.writerow([line.entry, line.line, *map(safe, cells)])
        else:
            place = f"{line.entry}:{line.line}" if line.entry else str(line.line)
            print(f"{place:>8}  {line.rule:<24}  {safe(line.message or line.url)}")
