"""A house with a client, people who may see all, a part or nothing of it, and a way to publish drops without Spark."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conf.settings import load_settings
from spark_jobs.star.tables import TABLES
from targets.dataset import Dataset, Manifest, staging
from targets.flock import HeldByKernel
from targets.lake import client_layout, open_lake
from targets.published import Published, publish
from targets.register import Drop, register
from tests.drop_tables import drop
from tests.star_keys import key

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
CLIENT = """
client = "{client}"
[feeds.photos]
kind = "images"
sources = ["picsum.photos"]
[feeds.scans]
kind = "images"
sources = ["picsum.photos"]
"""
GRANTS = """
[[grants]]
group = "all"
role = "viewer"
client = "demo"
feeds = "*"
[[grants]]
group = "scanners"
role = "viewer"
client = "demo"
feeds = ["scans"]
[[grants]]
group = "every"
role = "viewer"
client = "*"
feeds = "*"
"""


@pytest.fixture(autouse=True)
def house(people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home").mkdir()
    shutil.copy2(people, tmp_path / "home" / "directory.json")
    clients = tmp_path / "conf" / "clients"
    clients.mkdir(parents=True)
    for client in ("demo", "rival"):
        (clients / f"{client}.toml").write_text(CLIENT.format(client=client))
    (tmp_path / "conf" / "test.toml").touch()
    (tmp_path / "conf" / "grants.toml").write_text(GRANTS)
    monkeypatch.setenv("LANDFALL_CONF", str(tmp_path / "conf"))
    return tmp_path


@pytest.fixture
def ann(as_user: Callable[..., Path]) -> None:
    """Ann asks, who may see all of demo."""
    as_user("ann")


def fact(of: Drop, line: int, /, **overrides: Any) -> dict[str, Any]:
    image = hashlib.sha256(f"image {line}".encode()).hexdigest()
    return {
        "date_key": key(f"{of.receipt:%F}"),
        "drop_key": key(of.id),
        "source_key": key("picsum.photos"),
        "outcome_key": key("ok"),
        "image_key": key(image),
        "entry": 0,
        "line": line,
        "outcome": "ok",
        "rule": "ok",
        "value": None,
        "message": "Accepted.",
        "url": f"https://picsum.photos/id/{line}/40/30",
        "asked_width": 40,
        "asked_height": 30,
        "width": 40,
        "height": 30,
        "bytes_in": 1000,
        "bytes_out": 800,
        "http_status": 200,
        "attempts": 1,
        "milliseconds": 120,
        "original_id": hashlib.sha256(f"original {line}".encode()).hexdigest(),
        "image_id": image,
        "first_entry": None,
        "first_line": None,
        "corrects_drop": None,
        "corrects_line": None,
        "schema_version": 1,
        **overrides,
    }


def star_of(of: Drop, facts: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The tables of one drop, for these facts."""
    pictures = {row["image_id"]: row for row in facts if row["image_id"]}
    return {
        "fact_image_request": [dict(row) for row in facts],
        "dim_date": [{"date_key": key(f"{of.receipt:%F}"), "date": of.receipt, "year": of.receipt.year}],
        "dim_drop": [
            {
                "drop_key": key(of.id),
                "drop": of.id,
                "client": of.client,
                "feed": of.feed,
                "name": of.name,
                "received": of.received.replace(tzinfo=None),
                "bytes": of.size,
            }
        ],
        "dim_source": [{"source_key": key("picsum.photos"), "host": "picsum.photos"}],
        "dim_outcome": [
            {"outcome_key": key(rule), "code": rule, "class": outcome, "family": rule.partition(".")[0]}
            for rule, outcome in sorted({(row["rule"], row["outcome"]) for row in facts})
        ],
        "dim_image": [
            {
                "image_key": row["image_key"],
                "image_id": image,
                "image_digest": hashlib.sha256(image.encode()).hexdigest(),
                "original_id": row["original_id"],
                "width": row["width"],
                "height": row["height"],
                "format": "JPEG",
                "bytes": row["bytes_out"],
                "transforms": "grayscale@1",
            }
            for image, row in pictures.items()
        ],
        "agg_images_daily": [
            {
                "drop_key": key(of.id),
                "rule": "ok",
                "requests": len(facts),
                "milliseconds": sum(row["milliseconds"] or 0 for row in facts),
                "ms_100_to_250": len(facts),
            }
        ],
    }


def publish_star(of: Drop, tables: Rows, build: str = "b1", files: int = 1) -> Published:
    """Registers the drop and publishes these tables as what Load made of it.

    Args:
        files: how many files each table is cut into.
    """
    settings = load_settings()
    fs, layout = open_lake(settings), client_layout(settings, of.client)
    register(fs, layout, of)
    goal = Dataset(fs, layout.stage("load", of.feed, of.receipt, of.id, build))
    with staging(goal, layout.staging("load", of.feed, of.id, build), resumable=False, lease=HeldByKernel()) as place:
        for table, rows in tables.items():
            whole = pa.Table.from_pylist([{"schema_version": 1, **row} for row in rows], schema=TABLES[table])
            step = max(1, -(-whole.num_rows // files))
            for number in range(files):
                with fs.writer(f"{place.table(table)}/part-{number}.parquet") as file:
                    pq.write_table(whole.slice(number * step, step), pa.PythonFile(file, mode="w"))
        place.seal(Manifest("load", build, of.client, of.feed, of.id, 1, {}, {}, {}, {}, {}))
    return publish(fs, layout, of, f"p{build}", {"load": build})


@pytest.fixture
def published(ann: None) -> Published:
    """One drop of demo's feed photos: lines 1 to 3 are ok, line 4 is not found."""
    of = drop()
    lost = fact(of, 4, outcome="quarantined", rule="fetch.status", image_id=None, image_key=None, http_status=404)
    return publish_star(of, star_of(of, [fact(of, 1), fact(of, 2), fact(of, 3), lost]))
