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
from spark_jobs import shards, transform
from spark_jobs.schemas import ORIGINALS, REQUESTS
from spark_jobs.shards import Tally
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


def job(root: Path, contents: list[bytes]) -> TransformJob:
    """A job on originals in shards of two."""
    FS.make_directory(f"{root}/originals")
    said = dict.fromkeys(ORIGINALS.names) | {"entry": 0, "rule": "ok", "message": "", "passing": False, "round": 0}
    rows = [
        said
        | {"line": line, "url": f"http://a/{line}", "attempts": 1, "milliseconds": 1}
        | {"original_id": shards.sha256(content), "bytes": len(content), "content": content}
        for line, content in enumerate(contents, 1)
    ]
    for number in range(0, len(rows), 2):
        name = f"{root}/originals/part-{number // 2:05d}-r0.parquet"
        shards.write_shard(FS, name, ORIGINALS, iter(rows[number : number + 2]))
    write_none(FS, f"{root}/requests", REQUESTS)
    return TransformJob(
        fs=FS,
        requests=f"file://{root}/requests",
        originals=f"{root}/originals",
        images=f"{root}/images",
        settled=f"{root}/settled",
        transforms=("grayscale",),
        limits=Images(),
        log=RunLog(str(root / "run.jsonl")),
        report=lambda tally: None,
    )


@pytest.mark.spark
@pytest.mark.parametrize("few", [0, 100])
def test_equal_results_are_counted_once(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(transform, "_FEW", few)
    made = job(tmp_path, [picture(1), picture(2), picture(1), b"no picture", picture(3)])
    counts, digests = made.run(spark)
    size = shards.total({one: shards.tally_of(FS, f"{made.images}/{one}") for one in shards.finished(FS, made.images)})
    assert counts == {"ok": 4, "quarantined": 1, "distinct": 3, "bytes": size.bytes}
    assert size == Tally(4, 1, size.bytes)
    assert len(digests) == 3


@pytest.mark.spark
def test_originals_are_forgotten(spark: SparkSession, tmp_path: Path) -> None:
    made = job(tmp_path, [picture(1), picture(2), picture(3)])
    paths = [f"{made.originals}/{name}" for name in shards.finished(FS, made.originals)]
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
    work = replace(job(tmp_path, [picture(1), b"no picture", picture(2)]), early=store)._worker()
    names = ["part-00000-r0.parquet", "part-00001-r0.parquet"]
    for name in (*names, names[0]):
        work(name)
    ids = [
        [one for one in pq.read_table(tmp_path / "images" / name)["image_id"].to_pylist() if one is not None]
        for name in names
    ]
    assert [len(some) for some in ids] == [1, 1]
    assert handed == [(store, names[0], ids[0]), (store, names[1], ids[1]), (store, names[0], [])]
