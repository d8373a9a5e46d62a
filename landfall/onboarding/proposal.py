"""The configuration of a feed, proposed from a sample, with how many of its rows each proposal would reject."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from landfall.onboarding import toml
from landfall.onboarding.choices import event_time, most_rejected, redrops
from landfall.onboarding.columns import FEW, Proposed, Rule, propose
from landfall.onboarding.naming import column_names
from landfall.onboarding.sample import Sample
from landfall.onboarding.values import Values, literal
from spark_jobs.records.clean import BLANKS
from spark_jobs.rejects import ADDED

# Texts by which systems say that there is no value.
_NULLS = ("NULL", "null", "\\N", "N/A", "n/a", "NA", "None", "NaN", "nan", "-", "?")
_UNIQUE = 0.99
_MOST_IN_PAIRS = 12
_EXAMPLES = 3


@dataclass(frozen=True)
class Evidence:
    """What one proposal would do to the sample.

    Attributes:
        rejected: how many rows it would reject.
        examples: values of such rows.
    """

    rule: Rule
    rejected: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """What a feed may be.

    Attributes:
        feed: what the client's file says of it, but for its columns.
        columns: what it says of each.
        evidence: every proposal, feed first.
        rows: of the sample, those that cannot be taken apart included.
        quarantined, duplicate: rows that would not be accepted.
        faults: rows that cannot be taken apart, by rule; among the quarantined.
        whole: whether that is the whole file.
    """

    feed: Mapping[str, Any]
    columns: tuple[Mapping[str, Any], ...]
    evidence: tuple[Evidence, ...]
    rows: int
    quarantined: int
    duplicate: int
    faults: Mapping[str, int]
    whole: bool

    def tables(self, name: str) -> Iterator[list[str]]:
        """The feed as tables of the client's file, with what each column would reject as a comment."""
        yield [*toml.table(f"[feeds.{name}]", self.feed), *redrops(self.feed)]
        for column in self.columns:
            told = [
                f"{one.rule.what}: {one.rejected:,} of the sample's {self.rows:,} rows rejected"
                for one in self.evidence
                if one.rule.column == column["name"] and one.rejected
            ]
            told += [one.rule.remark for one in self.evidence if one.rule.column == column["name"] and one.rule.remark]
            yield toml.table(f"[[feeds.{name}.columns]]", column, {"name": "; ".join(told)})


def proposal(sample: Sample) -> Proposal:
    """What the feed may be whose files are like the sample."""
    attributes = [name for name in sample.columns if name not in ADDED]
    names = column_names(attributes)
    places = {name: f"c{sample.columns.index(name)}" for name in attributes}
    nulls = _clean(sample, list(places.values()))
    has_names = sample.dialect.header or sample.dialect.format == "jsonl"
    columns = [
        propose(Values(sample.database, places[name]), names[name], name if has_names else None) for name in attributes
    ]
    bad = " OR ".join(f"({rule.bad})" for column in columns for rule in column.rules if rule.bad) or "false"
    sample.database.execute(f"CREATE TABLE good AS SELECT * FROM clean WHERE NOT ({bad})")
    key = _key(sample, columns)
    taken = _count(sample, "SELECT count(*) FROM good")
    sound = _count(sample, "SELECT count(*) FROM clean")
    duplicate = taken - _distinct(sample, key or columns)
    quarantined = sample.rows - sound + sound - taken
    chosen = {"partition_by": event_time(columns), "max_rejected": most_rejected(quarantined, sample.rows)}
    evidence = [
        *_of_feed(key, nulls, duplicate, chosen, quarantined / sample.rows),
        *(_evidence(sample, rule) for one in columns for rule in one.rules),
    ]
    return Proposal(
        feed={**_feed(sample, key, nulls), **chosen},
        columns=tuple(column.fields for column in columns),
        evidence=tuple(evidence),
        rows=sample.rows,
        quarantined=quarantined,
        duplicate=duplicate,
        faults=dict(sample.faults),
        whole=sample.whole,
    )


def _clean(sample: Sample, places: Sequence[str]) -> list[str]:
    """Makes the table ``clean``: values stripped, null where there is none. Returns the texts that mean no value."""
    cells = ", ".join(f"nullif(trim({place}, {literal(BLANKS)}), '') AS {place}" for place in places)
    sample.database.execute(f"CREATE TABLE clean AS SELECT row, {cells} FROM sample")
    nulls = [text for text in _NULLS if any(_means_nothing(sample, place, text) for place in places)]
    if nulls:
        listed = ", ".join(map(literal, nulls))
        kept = ", ".join(f"CASE WHEN {place} NOT IN ({listed}) THEN {place} END AS {place}" for place in places)
        sample.database.execute(f"CREATE OR REPLACE TABLE clean AS SELECT row, {kept} FROM clean")
    return nulls


def _means_nothing(sample: Sample, place: str, text: str) -> bool:
    """Whether a column has the text for no value: where the others are numbers or times, or the text says so itself."""
    row = sample.database.execute(
        f"SELECT count(*) FILTER ({place} = ?), count(*) FILTER ({place} <> ?), "
        f"count(*) FILTER ({place} <> ? AND regexp_full_match({place}, '[-0-9.,:/ TZ+eE]+')) FROM clean",
        [text] * 3,
    ).fetchone()
    assert row is not None
    there, others, like_numbers = row
    return bool(there) and (text in ("NULL", "\\N", "N/A", "n/a") or (others > 0 and like_numbers >= 0.95 * others))


def _feed(sample: Sample, key: Sequence[Proposed], nulls: list[str]) -> dict[str, Any]:
    dialect = sample.dialect
    is_csv = dialect.format == "csv"
    return {
        "kind": "records",
        "format": dialect.format,
        "delimiter": dialect.delimiter if is_csv and dialect.delimiter != "," else None,
        "quote": dialect.quote if is_csv and dialect.quote != '"' else None,
        "encoding": dialect.encoding if dialect.encoding != "utf-8" else None,
        "header": None if dialect.header else False,
        "nulls": nulls or None,
        "key": [column.name for column in key] or None,
    }


def _key(sample: Sample, columns: Sequence[Proposed]) -> list[Proposed]:
    """The column, or the pair, whose values are there in every row and name it."""
    rows = _count(sample, "SELECT count(*) FROM good")
    able = [one for one in columns if one.fields.get("required") and one.family not in ("double", "decimal", "bool")]
    named = [one for one in able if one.name.endswith(("id", "no", "number", "code", "uuid", "ref"))]
    ordered = named + [one for one in able if one not in named]
    single = [one for one in ordered if one.family in ("string", "int", "long")]
    for one in single if rows >= FEW else [each for each in single if each in named]:
        if _is_unique(sample, rows, [one]):
            return [one]
    pairs = sorted(ordered, key=lambda one: one.facts.distinct, reverse=True)[:_MOST_IN_PAIRS]
    for pair in itertools.combinations([one for one in ordered if one in pairs], 2) if rows >= FEW else ():
        if _is_unique(sample, rows, pair):
            return list(pair)
    return []


def _is_unique(sample: Sample, rows: int, columns: Sequence[Proposed]) -> bool:
    return rows > 1 and _distinct(sample, columns) >= rows * _UNIQUE


def _distinct(sample: Sample, columns: Sequence[Proposed]) -> int:
    values = ", ".join(one.typed for one in columns)
    return _count(sample, f"SELECT count(*) FROM (SELECT DISTINCT {values} FROM good)")


def _of_feed(
    key: Sequence[Proposed], nulls: list[str], duplicate: int, chosen: Mapping[str, Any], share: float
) -> list[Evidence]:
    names = ", ".join(one.name for one in key)
    remark = f"{duplicate:,} rows are duplicates of an earlier one" if duplicate else ""
    what = f"key = {names}" if key else "no key: the whole record counts"
    found = [Evidence(Rule("", what, remark=remark), 0)]
    if nulls:
        found.append(Evidence(Rule("", f"nulls = {', '.join(nulls)}"), 0))
    remarks = {
        "partition_by": "a directory for each month of it",
        "max_rejected": f"{share:.1%} of the sample are rejected; a file with more than the limit is held",
    }
    return found + [
        Evidence(Rule("", f"{name} = {given}", remark=remarks[name]), 0) for name, given in chosen.items() if given
    ]


def _evidence(sample: Sample, rule: Rule) -> Evidence:
    rejected = _count(sample, f"SELECT count(*) FROM clean WHERE {rule.bad}") if rule.bad else 0
    if not rejected:
        return Evidence(rule, 0)
    shown = sample.database.execute(
        f"SELECT DISTINCT {rule.value} FROM clean WHERE {rule.bad} ORDER BY 1 LIMIT {_EXAMPLES}"
    ).fetchall()
    return Evidence(rule, rejected, tuple("" if one is None else one for (one,) in shown))


def _count(sample: Sample, sql: str) -> int:
    found = sample.database.execute(sql).fetchone()
    assert found is not None
    return int(found[0])
