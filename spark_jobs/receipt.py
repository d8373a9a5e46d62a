"""What a client gets back for an upload: the receipt, and the rows that were rejected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from conf.errors import UploadRefused
from conf.rules import RULES
from conf.rules import rule as known
from spark_jobs.proof import Proof
from targets.register import Drop


def published(
    drop: Drop,
    proof: Proof,
    *,
    blank: int,
    counts: Mapping[str, int],
    details: Mapping[str, Any],
    published_at: datetime,
    rejects: str | None,
) -> dict[str, Any]:
    """The receipt of a drop that is published, for the upload that brought it first.

    Args:
        blank: blank lines, which are no lines.
        counts: what is counted of a drop of this kind besides: ``images`` (results; equal pictures count once), or
            ``warned`` (accepted records that met a warning).
        details: what is told of a drop of this kind besides (see ``of_records``).
        rejects: name of the file of rejected rows, None if no line was quarantined.
    """
    return {
        "status": "published",
        "summary": _summary(proof),
        **_upload(drop.upload, drop.client, drop.feed, drop.name, drop.received),
        "drop": drop.id,
        "published": _time(published_at),
        "counts": {
            "lines": proof.lines,
            "ok": proof.ok,
            "quarantined": proof.quarantined,
            "duplicate": proof.duplicate,
            "blank": blank,
            **counts,
        },
        "rules": [_rule(code, count) for code, count in sorted(proof.by_rule.items()) if code != "ok"],
        **details,
        "rejects": rejects,
    }


def of_records(told: DataFrame) -> dict[str, Any]:
    """What the receipt of a drop of records tells besides: ``columns`` (how many lines met which rule in which column;
    a line with three faults counts three times) and ``warnings`` (how many accepted lines met which).

    Args:
        told: the line table.
    """
    faults = told.select("outcome", F.explode("faults").alias("fault")).select("outcome", "fault.*")
    grouped = faults.groupBy("outcome", "column", "rule").agg(
        F.count("*").alias("lines"), F.min("message").alias("one")
    )
    rows = sorted(grouped.collect(), key=lambda row: (row.column or "", row.rule))
    return {
        "columns": [
            {"column": row.column, **_rule(row.rule, row.lines)}
            for row in rows
            if row.column and row.outcome == "quarantined"
        ],
        "warnings": [{"rule": row.rule, "lines": row.lines, "message": row.one} for row in rows if row.outcome == "ok"],
    }


def received_before(
    first: Mapping[str, Any], *, upload: str, name: str, received: datetime, rejects: str | None
) -> dict[str, Any]:
    """The receipt of an upload whose bytes came before: nothing ran, and what became of them is said again.

    Args:
        first: the receipt of the drop (see ``published``).
        upload, name, received: of this upload.
        rejects: name of the file of rejected rows that goes with this receipt, None if no line was quarantined.
    """
    return {
        **first,
        "status": "received before",
        "summary": f"The same bytes came on {first['received']} as {first['name']}: nothing was done again.",
        **_upload(upload, first["client"], first["feed"], name, received),
        "first": {"upload": first["upload"], "name": first["name"], "received": first["received"]},
        "rejects": rejects,
    }


def refused(
    error: UploadRefused, *, upload: str, client: str, feed: str | None, name: str, received: datetime
) -> dict[str, Any]:
    """The receipt of an upload that was not taken.

    Args:
        error: why.
        feed: None if the upload lay in no feed's directory.
    """
    return {
        "status": "refused",
        "summary": f"Refused: {error}",
        **_upload(upload, client, feed, name, received),
        "rule": error.code,
        "message": error.what,
        "fix": error.fix or RULES[error.code].fix,
    }


def _upload(upload: str, client: str, feed: str | None, name: str, received: datetime) -> dict[str, Any]:
    return {"upload": upload, "client": client, "feed": feed, "name": name, "received": _time(received)}


def _summary(proof: Proof) -> str:
    parts = [f"{proof.ok:,} of {proof.lines:,} lines accepted"]
    if proof.quarantined:
        parts.append(f"{proof.quarantined:,} quarantined (see the rejects)")
    if proof.duplicate:
        parts.append(f"{proof.duplicate:,} the same as an earlier line")
    return ", ".join(parts) + "."


def _rule(code: str, count: int) -> dict[str, Any]:
    rule = known(code)
    return {"rule": code, "outcome": rule.outcome, "lines": count, "message": rule.summary, "fix": rule.fix}


def _time(when: datetime) -> str:
    return when.isoformat(timespec="seconds")
