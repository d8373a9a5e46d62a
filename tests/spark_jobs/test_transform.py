"""Transform of one drop's originals, and what it counts."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image
from pyspark.sql import SparkSession

from conf.settings import Images, Settings
from spark_jobs import shards, tallies, transform
from spark_jobs.making import Making
from spark_jobs.schemas import ORIGINALS, REQUESTS
from spark_jobs.shards import Tally, Written, sha256
from spark_jobs.store import Destination, StoreJob
from spark_jobs.tables import write_none
from spark_jobs.transform import TransformJob
from targets.local import LocalFileSystem
from targets.runlog import RunLog
from tests.in_memory import is_in_memory

FS = LocalFileSystem()


def picture(level: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (level, level, level)).save(file, "PNG")
    return file.getvalue()


def job_of(root: Path, contents: list[bytes]) -> TransformJob:
    """A job on originals in shards of two."""
    FS.make_directory(f"{root}/originals")
    said = dict.fromkeys(ORIGINALS.names) | {"entry": 0, "rule": "ok", "message": "", "passing": False, "round": 0}
    rows = [
        said
        | {"line": line, "url": f"http://a/{line}", "attempts": 1, "milliseconds": 1}
        | {"original_id": sha256(content), "bytes": len(content), "content": content}
        for line, content in enumerate(contents, 1)
    ]
    for number in range(0, len(rows), 2):
        name = f"{root}/originals/part-{number // 2:05d}-r0.parquet"
        shards.write_shard(FS, name, ORIGINALS, iter(rows[number : number + 2]))
    write_none(FS, f"{root}/requests", REQUESTS)
    making = Making(
        fs=FS,
        originals=f"{root}/originals",
        images=f"{root}/images",
        transforms=("grayscale",),
        limits=Images(),
        log=RunLog(str(root / "run.jsonl")),
    )
    originals = digests(root, "originals")
    return TransformJob(f"file://{root}/requests", originals, making, f"{root}/settled", lambda tally: None, print)


def digests(root: Path, table: str = "images") -> dict[str, str]:
    """Those of the shards' files."""
    return {file.name: sha256(file.read_bytes()) for file in (root / table).glob("*.parquet")}


@pytest.mark.spark
@pytest.mark.parametrize("few", [0, 100])
def test_equal_results_are_counted_once(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(transform, "_FEW", few)
    made = job_of(tmp_path, [picture(1), picture(2), picture(1), b"no picture", picture(3)])
    counts, written = made.run(spark)
    size = tallies.total({name: shards.tally_of(FS, f"{tmp_path}/images/{name}") for name in digests(tmp_path)})
    assert counts == {"ok": 4, "quarantined": 1, "distinct": 3, "bytes": size.bytes}
    assert size == Tally(4, 1, size.bytes)
    assert {one.name: one.sha256 for one in written} == digests(tmp_path)
    assert len(written) == 3


@pytest.mark.spark
def test_what_was_made_before_is_counted_and_not_read_again(spark: SparkSession, tmp_path: Path) -> None:
    job = job_of(tmp_path, [picture(1), picture(2), b"no picture", picture(3)])
    before = job.making.make(*next(iter(job.originals.items())))
    gone = Written("part-00009-r0.parquet", "0" * 64, Tally(7), "images")
    counts, written = replace(job, made=[before, gone]).run(spark)
    assert counts["ok"] == 3
    assert {one.name: one.sha256 for one in written} == digests(tmp_path)
    counts, written = job.run(spark)  # as a process that was told nothing
    assert (counts["ok"], written) == (3, [])


@pytest.mark.spark
def test_pictures_of_originals_that_were_never_put_in_place_go(spark: SparkSession, tmp_path: Path) -> None:
    """A worker that outlived its run may have fetched something else, and made pictures of that."""
    job = job_of(tmp_path, [picture(1), picture(2), picture(3)])
    other = job_of(tmp_path / "other", [picture(4), b"no picture", picture(5), picture(6), picture(7)])
    for shard in other.originals.items():
        replace(other.making, images=job.making.images).make(*shard)
    assert len(digests(tmp_path)) == 3
    counts, written = job.run(spark)
    assert (counts["ok"], counts["quarantined"], counts["distinct"]) == (3, 0, 3)
    assert {one.name: one.sha256 for one in written} == digests(tmp_path)
    made = {
        row
        for name in digests(tmp_path)
        for row in pq.read_table(tmp_path / "images" / name)["original_id"].to_pylist()
    }
    assert made == {sha256(picture(level)) for level in (1, 2, 3)}


@pytest.mark.spark
def test_originals_are_forgotten(spark: SparkSession, tmp_path: Path) -> None:
    made = job_of(tmp_path, [picture(1), picture(2), picture(3)])
    paths = [str(path) for path in (tmp_path / "originals").iterdir()]
    assert [is_in_memory(path) for path in paths] == [True, True]
    made.run(spark)
    assert [is_in_memory(path) for path in paths] == [False, False]


def test_what_is_made_is_handed_on_and_what_was_there_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[tuple[StoreJob, str, list[str]]] = []
    monkeypatch.setattr(
        "spark_jobs.early.hand_on",
        lambda job, shard, kept: handed.append((job, shard.name, [row["image_id"] for row in kept])),
    )
    log = RunLog(str(tmp_path / "run.jsonl"))
    destination = Destination(Settings(env="test", home=tmp_path), "demo", "photos", "d" * 64, ("grayscale",), log)
    store = StoreJob(FS, f"{tmp_path}/images", destination)
    job = job_of(tmp_path, [picture(1), b"no picture", picture(2)])
    making = replace(job.making, early=store)
    names = [making.make(*shard).name for shard in sorted(job.originals.items())]
    making.make(*min(job.originals.items()))
    ids = [
        [one for one in pq.read_table(tmp_path / "images" / name)["image_id"].to_pylist() if one is not None]
        for name in names
    ]
    assert [len(some) for some in ids] == [1, 1]
    assert handed == [(store, names[0], ids[0]), (store, names[1], ids[1]), (store, names[0], [])]
