"""The tables that the stages make of one drop, from rows = a full default row + overrides."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from conf.feeds import ImagesFeed
from conf.rules import RULES
from spark_jobs.schemas import IMAGES, ORIGINALS, REQUESTS, SETTLED
from spark_jobs.star.inputs import LoadInputs
from targets.local import LocalFileSystem
from targets.register import Drop, identity

Row = Mapping[str, Any]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def drop(**overrides: Any) -> Drop:
    """A drop; its id is that of its content (``content``), as Landing computes it."""
    given = {
        "client": "demo",
        "feed": "photos",
        "name": "catalogue.txt",
        "upload": "u-1",
        "size": 1234,
        "received": datetime(2026, 2, 28, 23, 59, 58, tzinfo=UTC),
        "config": ImagesFeed(kind="images", sources=("picsum.photos",)),
        **overrides,
    }
    content = given.pop("content", "bytes")
    made = identity(given["client"], given["feed"])
    made.update(content.encode())
    return Drop(id=made.hexdigest(), **given)


def request(line: int, /, **overrides: Any) -> Row:
    return {
        "entry": 0,
        "line": line,
        "url": f"https://picsum.photos/id/{line}/40/30",
        "host": "picsum.photos",
        "width": 40,
        "height": 30,
        "corrects_drop": None,
        "corrects_line": None,
        "fields": {"url": f"https://picsum.photos/id/{line}/40/30"},
        "shard": 0,
        **overrides,
    }


def settled(line: int, rule: str, /, **overrides: Any) -> Row:
    of_request = {name: value for name, value in request(line).items() if name != "shard"}
    return {
        **of_request,
        "outcome": RULES[rule].outcome,
        "rule": rule,
        "value": None,
        "message": RULES[rule].summary,
        "first_entry": None,
        "first_line": None,
        **overrides,
    }


def original(line: int, /, **overrides: Any) -> Row:
    content = f"original {line}"
    return {
        "entry": 0,
        "line": line,
        "url": f"https://picsum.photos/id/{line}/40/30",
        "width": 40,
        "height": 30,
        "rule": "ok",
        "value": None,
        "message": "Accepted.",
        "passing": False,
        "round": 0,
        "status": 200,
        "attempts": 1,
        "milliseconds": 120,
        "final_url": None,
        "content_type": "image/jpeg",
        "bytes": len(content),
        "original_id": digest(content),
        "content": content.encode(),
        **overrides,
    }


def image(line: int, /, **overrides: Any) -> Row:
    content = f"image {line}"
    return {
        "entry": 0,
        "line": line,
        "url": f"https://picsum.photos/id/{line}/40/30",
        "rule": "ok",
        "value": None,
        "message": "Accepted.",
        "original_id": digest(f"original {line}"),
        "original_bytes": len(f"original {line}"),
        "original_width": 40,
        "original_height": 30,
        "original_format": "JPEG",
        "image_id": digest(f"id {line}"),
        "image_digest": digest(content),
        "width": 40,
        "height": 30,
        "format": "JPEG",
        "bytes": len(content),
        "transforms": "grayscale@1",
        "content": content.encode(),
        **overrides,
    }


def write_stages(
    root: Path,
    of: Drop,
    *,
    requests: Sequence[Row] = (),
    validated: Sequence[Row] = (),
    originals: Sequence[Row] = (),
    fetched: Sequence[Row] = (),
    images: Sequence[Row] = (),
    transformed: Sequence[Row] = (),
) -> LoadInputs:
    """Writes the stages' tables; ``validated``, ``fetched`` and ``transformed`` are what each of them settled."""
    return LoadInputs(
        fs=LocalFileSystem(),
        requests=_write(root / "requests", REQUESTS, requests),
        settled=tuple(
            _write(root / f"settled-{stage}", SETTLED, rows)
            for stage, rows in (("validate", validated), ("fetch", fetched), ("transform", transformed))
        ),
        originals=_write(root / "originals", ORIGINALS, originals),
        images=_write(root / "images", IMAGES, images),
        drop=of,
    )


def mixed(root: Path, of: Drop | None = None) -> LoadInputs:
    """Seven lines: 1 and 2 ok, 3 no URL, 4 the same as 1, 5 not found, 6 damaged, 7 the same picture as 2."""
    same = image(2, line=7, url="https://picsum.photos/seed/x/40/30")
    return write_stages(
        root,
        of or drop(),
        requests=[request(1), request(2), request(5), request(6), request(7)],
        validated=[
            settled(3, "url.malformed", url=None, host=None, width=None, height=None, fields={"url": "'=nonsense"}),
            settled(4, "duplicate.in_drop", first_entry=0, first_line=1),
        ],
        originals=[
            original(1),
            original(2, round=0, rule="fetch.timeout", status=None, attempts=3, milliseconds=9000, bytes=0),
            original(2, round=1),
            original(5, rule="fetch.status", status=404, bytes=0, original_id=None, content=None),
            original(6),
            original(7),
        ],
        fetched=[settled(5, "fetch.status", value="404")],
        images=[
            image(1),
            image(2),
            image(6, rule="image.truncated", image_id=None, image_digest=None, width=None, height=None, bytes=None),
            same,
        ],
        transformed=[settled(6, "image.truncated")],
    )


def _write(directory: Path, schema: pa.Schema, rows: Sequence[Row]) -> str:
    directory.mkdir(parents=True)
    if rows:
        pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), directory / "part-0.parquet")
    return str(directory)
