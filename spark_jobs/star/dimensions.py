"""The small dimensions: the members that one drop brings, made in this process."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date
from typing import Any

import pyarrow as pa

from conf.rules import RULES
from spark_jobs.star import keys
from spark_jobs.star.tables import SCHEMA_VERSION, TABLES
from targets.register import Drop


def dim_date(receipt: date) -> pa.Table:
    """The receipt date."""
    member = {
        "date_key": keys.date_key(receipt),
        "date": receipt,
        "year": receipt.year,
        "quarter": (receipt.month + 2) // 3,
        "month": receipt.month,
        "week": receipt.isocalendar().week,
        "day": receipt.day,
        "weekday": f"{receipt:%A}",
        "is_weekend": receipt.isoweekday() > 5,
    }
    return table("dim_date", [member])


def dim_drop(drop: Drop) -> pa.Table:
    """The drop."""
    member = {
        "drop_key": keys.drop_key(drop.id),
        "drop": drop.id,
        "client": drop.client,
        "feed": drop.feed,
        "name": drop.name,
        "received": drop.received.astimezone(UTC).replace(tzinfo=None),
        "bytes": drop.size,
    }
    return table("dim_drop", [member])


def dim_outcome(codes: Collection[str]) -> pa.Table:
    """The rules that the lines met, with what the house knows of them."""
    return table("dim_outcome", map(_outcome, sorted(codes)))


def table(name: str, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows of a table of the star, stamped with the schema version."""
    return pa.Table.from_pylist([{**row, "schema_version": SCHEMA_VERSION} for row in rows], schema=TABLES[name])


def _outcome(code: str) -> dict[str, str]:
    member = {"outcome_key": keys.of(code), "code": code}
    known = RULES.get(code)  # that all are known is for the proof to see
    if known is None:
        return member
    return {
        **member,
        "class": known.outcome,
        "family": known.family,
        "message": known.summary,
        "what_to_do": known.fix,
    }
