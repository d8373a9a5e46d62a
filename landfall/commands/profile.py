"""``landfall profile``."""

from __future__ import annotations

from typing import Any

from landfall.arguments import ClientOption, DropOption, JsonOption, NamedFeedOption

_SHOWN = 3


def profile(client: ClientOption, feed: NamedFeedOption, drop: DropOption = None, as_json: JsonOption = False) -> None:
    """Show what the values of each column of a drop of records are like: nulls, bounds, lengths, the most frequent.

    Without --drop, of the published drop that was received last. distinct is right within 5 %.
    """
    from landfall.profiles import profile as read
    from landfall.terminal import say, show_json, show_table

    found = read(client, feed, drop)
    if as_json:
        show_json(found)
        return
    counts = (f"{found[name]:,} {name}" for name in ("lines", "ok", "quarantined", "duplicate", "warned"))
    say(f"{client}/{feed} {found['drop'][:12]}: {', '.join(counts)}")
    for drift in found["drift"]:
        say(_drift(drift))
    say()
    rows = [
        [
            column["name"],
            column["type"],
            f"{column.get('nulls', 0):,}",
            f"{column.get('distinct', 0):,}",
            column.get("min", ""),
            column.get("max", ""),
            _lengths(column),
            ", ".join(f"{one['value']} ({one['count']:,})" for one in column["often"][:_SHOWN]),
        ]
        for column in found["columns"]
    ]
    show_table(["column", "type", "nulls", "distinct", "min", "max", "lengths", "often"], rows, ["nulls", "distinct"])


def _lengths(column: dict[str, Any]) -> str:
    if "shortest" not in column:
        return ""
    return f"{column['shortest']} to {column['longest']}, mean {column['mean_length']:g}"


def _drift(drift: dict[str, Any]) -> str:
    """How the columns of one file differed from the feed's."""
    parts = [f"{what} {', '.join(drift[what])}" for what in ("new", "missing") if drift[what]]
    parts += ["in another order"] if drift["reordered"] else []
    return f"Columns of entry {drift['entry']} are not the feed's: {'; '.join(parts)}."
