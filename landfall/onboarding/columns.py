"""What one column of a feed may be, by the values that a sample has there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from landfall.onboarding import shapes
from landfall.onboarding.times import Writing, likely
from landfall.onboarding.values import FLOAT, NUMBER, WHOLE, Facts, Values, literal, matching, timed

# Shares of the values (of the rows, where a value is required) that a proposal may reject: they are damage.
_OF_TYPE, _OF_PATTERN, _OF_MEMBERS, _OF_REQUIRED = 0.05, 0.02, 0.01, 0.005
# So few rows show nothing but themselves.
FEW = 20

_MOST_MEMBERS = 12
_MOST_OF_DIMENSION = 1000
_ROWS_A_MEMBER = 10
_LONGEST_MEMBER = 40
_BOOLEANS = ({"true", "false"}, {"t", "f"}, {"yes", "no"}, {"y", "n"})
_NO_DIMENSION = {"date", "drop", "image", "outcome", "source"}
_COUNTED = re.compile(r"(^|_)(age|amount|count|price|qty|quantity|size|total|weight|units?|bytes)($|_)")
_DEGREES = {re.compile(r"(^|_)lat(itude)?($|_)"): 90, re.compile(r"(^|_)(lon|lng|longitude)($|_)"): 180}
_PAST = re.compile(
    r"(^|_)(at|born|birth|created|invoice|order(ed)?|paid|pickup|dropoff|received|sent|shipped|sold)($|_)"
)
_DAYS = re.compile(r"date|day|time|(^|_)(at|on)($|_)")


@dataclass(frozen=True)
class Rule:
    """One thing that is proposed.

    Attributes:
        column: name in the table; empty: of the feed.
        what: as the client's file says it.
        bad: SQL over the table ``clean`` that is true of a row which would be rejected; empty: it rejects none.
        value: name there of the column whose values show what would be rejected.
        remark: what a person should look at; empty: nothing.
    """

    column: str
    what: str
    bad: str = ""
    value: str = ""
    remark: str = ""


@dataclass
class Proposed:
    """What one column may be.

    Attributes:
        name: in the table.
        place: name in the table ``clean``.
        facts: counts over its values.
        fields: what the client's file says of it.
        typed: SQL of the value with its type.
        rules: what is proposed, each by itself.
    """

    name: str
    place: str
    facts: Facts
    fields: dict[str, Any]
    typed: str
    rules: list[Rule] = field(default_factory=list)

    @property
    def family(self) -> str:
        return str(self.fields.get("type", "string")).partition("(")[0]

    def add(self, key: str, given: Any, what: str, bad: str = "", remark: str = "") -> None:
        self.fields[key] = given
        self.rules.append(Rule(self.name, what, bad, self.place, remark))


def propose(values: Values, name: str, attribute: str | None) -> Proposed:
    """What a column may be.

    Args:
        name: in the table.
        attribute: in the file; None: none, columns stand in the file's order.
    """
    facts = values.facts()
    fields: dict[str, Any] = {"name": name}
    if attribute is not None and attribute != name:
        fields["from"] = attribute
    found = Proposed(name, values.name, facts, fields, values.name)
    if not facts.present:
        found.add("type", "string", 'type = "string"', remark="the sample has no value")
        return found
    _type(found, values)
    if facts.missing <= (_OF_REQUIRED * facts.rows if facts.rows >= FEW else 0):
        found.add("required", True, "required", f"{values.name} IS NULL")
    if found.family == "string":
        _text(found, values)
    elif found.family in ("date", "timestamp"):
        _time(found, values)
    elif found.family != "bool":
        _bounds(found, values)
    return found


def _type(found: Proposed, values: Values) -> None:
    facts, c = found.facts, values.name
    least = facts.present * (1 - _OF_TYPE) if facts.present >= FEW else facts.present
    first = list(values.counts())[:200]
    written = _written(found, values, first, least)
    if written:
        return
    if any({one.lower() for one in first} <= pair for pair in _BOOLEANS):
        found.typed = f"lower(left({c}, 1)) IN ('t', 'y')"
        found.add("type", "bool", 'type = "bool"')
        return
    kind, shape = _number(facts, least)
    if kind:
        found.typed = f"CASE WHEN {matching(c, shape)} THEN try_cast({c} AS DOUBLE) END"
        found.add("type", kind, f'type = "{kind}"', _bad(c, matching(c, shape)))
    else:
        found.rules.append(Rule(found.name, 'type = "string"'))


def _written(found: Proposed, values: Values, first: list[str], least: float) -> bool:
    """Whether the values are dates or timestamps; if so, how they are written."""
    best: list[tuple[int, Writing]] = []
    for one in likely(first):
        if one.format == "yyyyMMdd" and not _DAYS.search(found.name):
            continue
        fitting = values.fitting(f"{timed(values.name, one)} IS NOT NULL")
        if fitting >= least:
            best.append((fitting, one))
    if not best:
        return False
    most = max(fitting for fitting, _ in best)
    chosen, *others = [one for fitting, one in best if fitting == most]
    found.typed = timed(values.name, chosen)
    turned = next((one.format for one in others if _days_first(one) != _days_first(chosen)), None)
    remark = f"{turned} fits as well: see which is meant" if turned else ""
    what = f'type = "{chosen.type}"' + (f', format = "{chosen.format}"' if chosen.format else "")
    found.add("type", chosen.type, what, _bad(values.name, f"{found.typed} IS NOT NULL"), remark)
    if chosen.format:
        found.fields["format"] = chosen.format
    return True


def _days_first(writing: Writing) -> bool:
    return (writing.format or "y").startswith("d")


def _number(facts: Facts, least: float) -> tuple[str, str]:
    """The type of numbers and what they look like; empty where the values are none, or are codes with zeros first."""
    if facts.zeros:
        return "", ""
    if facts.whole >= least and facts.digits <= 18 and facts.whole >= facts.number - (facts.present - least):
        return ("int" if facts.digits <= 8 else "long"), WHOLE
    if facts.number >= least and facts.scale <= 6 and facts.digits + facts.scale <= 30:
        scale = facts.scale
        return f"decimal({max(12, facts.digits + 2 + scale)},{scale})", NUMBER
    return ("double", FLOAT) if facts.floating >= least else ("", "")


def _text(found: Proposed, values: Values) -> None:
    facts, c = found.facts, values.name
    counts = values.counts()
    members = _members(counts, facts)
    if members:
        folded = {one.lower() for one in members}
        if len(folded) < len(members):
            found.add("clean", ["strip", "lower"], 'clean = ["strip", "lower"]')
            members, c = sorted(folded), f"lower({c})"
            found.typed = c
        listed = ", ".join(map(literal, members))
        found.add("one_of", sorted(members), f"one_of {len(members)} values", _bad(values.name, f"{c} IN ({listed})"))
    elif facts.present >= FEW:
        shape = shapes.pattern(counts, 1 - _OF_PATTERN)
        if shape:
            found.add("pattern", shape, f"pattern = {shape}", _bad(c, matching(c, shape)))
    is_few = facts.distinct <= _MOST_OF_DIMENSION and facts.distinct * _ROWS_A_MEMBER <= facts.present
    if facts.distinct > 1 and (members or is_few) and found.name not in _NO_DIMENSION:
        found.add("dimension", True, f"dimension ({facts.distinct:,} values)")


def _members(counts: dict[str, int], facts: Facts) -> list[str]:
    """The few values that a column has, without those that are nearly never seen; empty if they are not few."""
    often = [one for one, count in counts.items() if facts.present < 1000 or count * 1000 >= facts.present]
    seen = sum(counts[one] for one in often)
    if not 2 <= len(often) <= _MOST_MEMBERS or len(often) * _ROWS_A_MEMBER > facts.present:
        return []
    if facts.present - seen > _OF_MEMBERS * facts.present or max(map(len, often)) > _LONGEST_MEMBER:
        return []
    return sorted(often)


def _time(found: Proposed, values: Values) -> None:
    if _PAST.search(found.name) and not values.fitting(f"{found.typed} > current_date"):
        found.add("not_in_future", True, "not_in_future")


def _bounds(found: Proposed, values: Values) -> None:
    least, most = values.span(found.typed)
    if _COUNTED.search(found.name) and least >= 0:
        found.add("min", 0, "min = 0")
    for names, degrees in _DEGREES.items():
        if names.search(found.name) and -degrees <= least and most <= degrees:
            found.add("min", -degrees, f"min = -{degrees}, max = {degrees}")
            found.fields["max"] = degrees


def _bad(name: str, good: str) -> str:
    return f"{name} IS NOT NULL AND NOT coalesce({good}, false)"
