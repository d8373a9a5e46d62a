"""What a client gets back for an upload: the receipt, and the rows that were rejected."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from conf.errors import UploadRefused
from conf.rules import RULES
from spark_jobs.proof import Proof
from spark_jobs.rejects import ADDED, encode
from spark_jobs.star.load import LoadInputs
from targets.register import Drop

# A file in which every line names other columns would have as many columns as rows; the rarest stay out.
_MOST_COLUMNS = 1000
_PART_ROWS = 20_000
_PART_BYTES = 16 << 20


def published(
    drop: Drop, proof: Proof, *, blank: int, images: int, published_at: datetime, rejects: str | None
) -> dict[str, Any]:
    """The receipt of a drop that is published, for the upload that brought it first.

    Args:
        blank: blank lines, which are no lines.
        images: results; equal pictures count once.
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
            "images": images,
        },
        "rules": [_rule(code, count) for code, count in sorted(proof.by_rule.items()) if code != "ok"],
        "rejects": rejects,
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


def rejects(
    spark: SparkSession, inputs: LoadInputs, several: bool, header: Sequence[str] | None, file: BinaryIO
) -> int:
    """Writes the quarantined lines as CSV (UTF-8, the feed's delimiter), ordered by entry and line.

    Cells stand as ``fields`` carries them: escaped for a spreadsheet already. What is added here, and the names of the
    columns, are escaped here. Rows come to this process part by part, each of some 16 MiB.

    Args:
        several: whether the drop is an archive of several entries, so that ``_line`` says which.
        header: the feed's own columns in their order, as ``fields`` names them; None: ``url``. Columns that it lacks
            follow by name, at most the 1,000 most frequent.
        file: takes the bytes.

    Returns:
        How many rows there are; with none, the file holds the header only.
    """
    lines = inputs.read_settled(spark).where(F.col("outcome") == "quarantined")
    size = F.aggregate(
        F.map_values("fields"), F.lit(0), lambda total, cell: total + F.coalesce(F.octet_length(cell), F.lit(0))
    )
    measured = lines.agg(F.count("*").alias("rows"), F.coalesce(F.sum(size), F.lit(0)).alias("bytes")).collect()[0]
    columns = _columns(lines, header)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, delimiter=inputs.drop.config.delimiter)
    writer.writerow([*map(encode, columns), *ADDED])
    parts = 1 + measured["rows"] // _PART_ROWS + measured["bytes"] // _PART_BYTES
    for row in _in_order(lines, parts):
        writer.writerow([*_cells(row.fields or {}, columns), *_added(row, several, inputs.drop.id)])
    text.detach()
    return int(measured["rows"])


def _in_order(lines: DataFrame, parts: int) -> Iterator[Row]:
    columns = lines.select("entry", "line", "rule", "message", "fields")
    ranges = columns.repartitionByRange(parts, "entry", "line") if parts > 1 else columns.coalesce(1)
    yield from ranges.sortWithinPartitions("entry", "line").toLocalIterator()


def _columns(lines: DataFrame, header: Sequence[str] | None) -> list[str]:
    """The columns, one of them the URL's."""
    known = list(header or ())
    if not any(map(_is_url, known)):
        known.insert(0, "url")
    named = lines.select(F.explode(F.map_keys("fields")).alias("name")).groupBy("name").count()
    often = named.orderBy(F.desc("count"), "name").limit(_MOST_COLUMNS).collect()
    names = {row.name for row in often if not _is_url(row.name)}
    return [*known, *sorted(names.difference(known, ADDED))]


def _cells(fields: Mapping[str, str | None], columns: Sequence[str]) -> list[str]:
    """A line's own cells. The URL, or a line that could not be taken apart, stands in the URL's column, however that
    is written there.
    """
    url = next((value for name, value in fields.items() if _is_url(name)), None)
    first = next(name for name in columns if _is_url(name))
    return [(fields.get(name) or (url if name == first else None)) or "" for name in columns]


def _is_url(name: str) -> bool:
    """Whether Validate takes the column for the URL's."""
    return name.strip().lower() == "url"


def _added(row: Row, several: bool, drop: str) -> list[str]:
    line = f"{row.entry}:{row.line}" if several else str(row.line)
    return [encode(cell) for cell in (line, row.rule, row.message, RULES[row.rule].fix, drop)]


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
    rule = RULES[code]
    return {"rule": code, "outcome": rule.outcome, "lines": count, "message": rule.summary, "fix": rule.fix}


def _time(when: datetime) -> str:
    return when.isoformat(timespec="seconds")
