"""Rows of orders, made by seed: sound ones, and twenty kinds of fault with what Landfall must say of each."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

COLUMNS = "order_id,customer,country,quantity,unit_price,weight,gift,ordered_at,shipped_on,note"
FEED: dict[str, Any] = {
    "kind": "records",
    "key": ["order_id"],
    "partition_by": "ordered_at",
    "columns": [
        {"name": "order_id", "clean": ["strip", "lower"], "pattern": "[a-z]{2}[0-9]{8}"},
        {"name": "customer", "required": True, "length": [3, 20]},
        {"name": "country", "clean": ["strip", "upper"], "one_of": ["DE", "FR", "IT", "PL", "SE", "US"]},
        {"name": "quantity", "type": "int", "required": True, "min": 1, "max": 1000},
        {"name": "unit_price", "type": "decimal(10,2)", "required": True, "min": 0},
        {"name": "weight", "type": "double", "max": 1000},
        {"name": "gift", "type": "bool"},
        {"name": "ordered_at", "type": "timestamp", "required": True, "not_in_future": True},
        {"name": "shipped_on", "type": "date"},
        {"name": "note"},
    ],
    "rules": [
        {"name": "shipped", "check": "shipped_on >= to_date(ordered_at)", "message": "Shipped before it was ordered."}
    ],
}
_BEGIN = datetime(2026, 1, 1)


class Row(NamedTuple):
    """A physical row (it may span lines) and the rules that it breaks, in the order of faults; none: it is sound."""

    content: bytes
    rules: tuple[str, ...] = ()


def sound(number: int, chance: random.Random) -> list[str]:
    """The cells of a sound row; each number gives another key."""
    at = _BEGIN + timedelta(seconds=chance.randrange(300 * 86_400))
    note = chance.choice(("", "", "fragile", '"call, then ring"', '"he said ""now"""', '"two\nlines"', "grün"))
    return [
        f"AB{number:08}",
        f"customer {chance.randrange(50_000)}",
        chance.choice(("DE", "FR", "it", "PL", "se", "US")),
        str(chance.randint(1, 1000)),
        f"{chance.randrange(100_000) / 100:.2f}",
        f"{chance.random() * 100:.3f}",
        chance.choice(("true", "false", "")),
        at.isoformat(sep=" "),
        (at + timedelta(days=chance.randint(0, 9))).date().isoformat(),
        note,
    ]


# Cells by number that take the place of sound ones, and the rules that are broken thereby.
VALUES: dict[str, tuple[dict[int, str], tuple[str, ...]]] = {
    "no key": ({0: " "}, ("key.missing",)),
    "bad key": ({0: "A100000001"}, ("value.pattern",)),
    "no customer": ({1: ""}, ("value.missing",)),
    "long customer": ({1: "c" * 21}, ("value.length",)),
    "unknown country": ({2: "XX"}, ("value.one_of",)),
    "quantity no number": ({3: "3 pieces"}, ("value.type",)),
    "quantity 0": ({3: "0"}, ("value.min",)),
    "quantity 1001": ({3: "1001"}, ("value.max",)),
    "price of three digits": ({4: "1.005"}, ("value.type",)),
    "price below 0": ({4: "-0.01"}, ("value.min",)),
    "weight no number": ({5: "1d"}, ("value.type",)),
    "gift no truth": ({6: "perhaps"}, ("value.type",)),
    "no such time": ({7: "2026-02-30 10:00:00"}, ("value.type",)),
    "time in future": ({7: "2027-01-01 00:00:00", 8: ""}, ("value.future",)),
    "no such day": ({8: "2026-13-01"}, ("value.type",)),
    "shipped before": ({8: "2025-12-31"}, ("row.shipped",)),
    "three faults": ({1: "", 3: "0", 4: "x"}, ("value.missing", "value.min", "value.type")),
}
LINES = {"field too many": "csv.columns", "field too few": "csv.columns"}
BYTES = {"no UTF-8": "line.encoding", "NUL": "line.nul", "too long": "line.too_long"}
REPEATED = "duplicate.in_drop"


def rows(count: int, seed: int, share: float, kinds: tuple[str, ...]) -> Iterator[Row]:
    """Rows of which a share (0 to 1) is at fault, the kinds in turn; another half of it repeats an earlier key."""
    chance = random.Random(seed)
    keys: list[str] = []
    for number in range(count):
        cells = sound(number, chance)
        drawn = chance.random()
        if drawn < share:
            yield faulty(cells, kinds[number % len(kinds)])
        elif drawn < share * 1.5 and keys:
            yield Row(",".join([chance.choice(keys), *cells[1:]]).encode(), (REPEATED,))
        else:
            if number % 7 == 0:
                keys.append(cells[0])
            yield Row(",".join(cells).encode())


def faulty(cells: list[str], kind: str) -> Row:
    """A row with a fault of this kind."""
    if kind in VALUES:
        instead, rules = VALUES[kind]
        cells = [instead.get(place, cell) for place, cell in enumerate(cells)]
        return Row(",".join(cells).encode(), rules)
    content = ",".join(cells).encode()
    if kind == "field too many":
        return Row(content + b",x", (LINES[kind],))
    if kind == "field too few":
        return Row(b",".join(part.encode() for part in cells[:-1]), (LINES[kind],))
    more = {"no UTF-8": b"caf\xe9", "NUL": b"a\0b", "too long": b"x" * 70_000}[kind]
    return Row(",".join(cells[:-1]).encode() + b"," + more, (BYTES[kind],))


def write(file: Path, count: int, seed: int, share: float, kinds: tuple[str, ...]) -> dict[int, tuple[str, ...]]:
    """Writes a CSV file; returns the rules of each line at fault, by its physical number."""
    wanted: dict[int, tuple[str, ...]] = {}
    line = 2
    with file.open("wb", buffering=1 << 20) as goal:
        goal.write(COLUMNS.encode() + b"\n")
        for row in rows(count, seed, share, kinds):
            goal.write(row.content + b"\n")
            if row.rules:
                wanted[line] = row.rules
            line += 1 + row.content.count(b"\n")
    return wanted


ALL_KINDS = (*VALUES, *LINES, *BYTES)
COMPARED_KINDS = (*VALUES, *LINES)
