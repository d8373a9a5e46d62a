"""Fetch of one drop's requests, and the pictures that its workers make meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from conf.settings import Images
from landfall.sample_web import SampleWeb
from spark_jobs.fetch import FetchJob
from spark_jobs.making import Making
from spark_jobs.schemas import REQUESTS
from spark_jobs.shards import Written, sha256
from targets.local import LocalFileSystem
from targets.runlog import RunLog
from tests.spark_jobs.web.servers import policy_for

pytestmark = pytest.mark.spark
SHARDS, EACH = 3, 4
LEFT = "pictures are left to the Transform stage"


@pytest.fixture(scope="module")
def web() -> Iterator[SampleWeb]:
    with SampleWeb(seed=1) as web:
        yield web


def job(root: Path, web: SampleWeb, originals: str = "originals") -> FetchJob:
    """A job on shards of four requests each, the first of which finds nothing.

    Args:
        originals: where pictures are made from, if their originals are not at hand.
    """
    urls = [f"{web.url}/id/{number}/60/40" + ("" if number % EACH else "?fault=404") for number in range(SHARDS * EACH)]
    said = dict.fromkeys(REQUESTS.names) | {"entry": 0, "host": "127.0.0.1"}
    rows = [said | {"line": at + 1, "url": url, "shard": at // EACH} for at, url in enumerate(urls)]
    (root / "requests").mkdir()
    pq.write_table(pa.Table.from_pylist(rows, schema=REQUESTS), root / "requests/part-0.parquet")
    log = RunLog(str(root / "run.jsonl"))
    making = Making(LocalFileSystem(), f"{root}/{originals}", f"{root}/images", ("grayscale",), Images(), log)
    return FetchJob(
        fs=LocalFileSystem(),
        requests=f"{root}/requests",
        originals=f"{root}/originals",
        settled=f"{root}/settled",
        policy=policy_for(web.port),
        max_transient=0,
        log=log,
        report=lambda tally: None,
        making=making,
    )


def digests(root: Path, *tables: str) -> set[tuple[str, str, str]]:
    files = [file for table in tables for file in (root / table).glob("*.parquet")]
    return {(file.parent.name, file.name, sha256(file.read_bytes())) for file in files}


def named(written: list[Written]) -> set[tuple[str, str, str]]:
    assert len({(one.directory, one.name) for one in written}) == len(written)
    return {(one.directory, one.name, one.sha256) for one in written}


def test_pictures_are_made_of_what_is_at_hand(spark: SparkSession, web: SampleWeb, tmp_path: Path) -> None:
    counts, written = job(tmp_path, web, "nowhere").run(spark)
    assert (counts["ok"], counts["quarantined"]) == (SHARDS * (EACH - 1), SHARDS)
    assert named(written) == digests(tmp_path, "originals", "images")
    assert len(written) == 2 * SHARDS
    made = pq.read_table(tmp_path / "images")
    assert set(made["rule"].to_pylist()) == {"ok"}
    assert sorted(made["line"].to_pylist()) == [at + 1 for at in range(SHARDS * EACH) if at % EACH]
    originals = pq.read_table(tmp_path / "originals").filter(pa.compute.field("rule") == "ok")
    assert sorted(made["original_id"].to_pylist()) == sorted(originals["original_id"].to_pylist())
    assert LEFT not in (tmp_path / "run.jsonl").read_text()


def test_originals_that_are_not_at_hand_are_read(spark: SparkSession, web: SampleWeb, tmp_path: Path) -> None:
    whole = job(tmp_path, web)
    whole.run(spark)
    assert whole.making
    again = replace(whole.making, images=f"{tmp_path}/again")
    for _, name, digest in digests(tmp_path, "originals"):
        again.make(name, digest)
    at_hand, read = (pq.read_table(tmp_path / name).sort_by("line") for name in ("images", "again"))
    assert read.equals(at_hand)


def test_what_cannot_be_made_is_left_to_transform(spark: SparkSession, web: SampleWeb, tmp_path: Path) -> None:
    (tmp_path / "images").write_text("no directory")
    counts, written = job(tmp_path, web).run(spark)
    assert counts["ok"] == SHARDS * (EACH - 1)
    assert named(written) == digests(tmp_path, "originals")
    assert len(written) == SHARDS
    assert (tmp_path / "run.jsonl").read_text().count(LEFT) == SHARDS


def test_nothing_is_made_of_what_an_earlier_run_fetched(spark: SparkSession, web: SampleWeb, tmp_path: Path) -> None:
    whole = job(tmp_path, web)
    replace(whole, making=None).run(spark)
    assert not (tmp_path / "images").exists()
    _, written = whole.run(spark)
    assert (written, list(tmp_path.glob("images/*"))) == ([], [])
