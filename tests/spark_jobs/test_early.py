"""Pictures that are handed over before the Store stage."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from conf.settings import Settings
from spark_jobs import early, shards
from spark_jobs.shards import Tally, Written
from spark_jobs.store import Destination, StoreJob
from targets.image_store import takes_early
from tests.spark_jobs.image_shards import FS, job, name, rows, stored

_SECONDS = 60


def log(destination: Destination) -> str:
    path = Path(destination.log.path)
    return path.read_text() if path.exists() else ""


def hand_on(handing: StoreJob, number: int, kept: Iterable[dict[str, Any]] = ()) -> None:
    """As a worker of Transform does it that has this shard."""
    tally = shards.tally_of(FS, f"{handing.images}/{name(number)}")
    early.hand_on(handing, Written(name(number), "", tally), list(kept))


def begun(destination: Destination, images: Path) -> StoreJob:
    made = early.begin(FS, str(images), destination)
    assert made is not None
    return made


def test_pictures_of_a_finished_shard_are_stored(destination: Destination, tmp_path: Path) -> None:
    images = tmp_path / "images"
    job(destination, images, rows(100, bad=7), rows(30))
    handing = begun(destination, images)
    hand_on(handing, 0)
    assert stored(destination, 100) == 100
    with destination.open() as store:
        *_, last = rows(100, bad=7)
        assert store.get(last["image_id"]).drop == "d" * 64
    hand_on(handing, 1)
    assert stored(destination, 107) == 107
    assert early._LEFT not in log(destination)


@pytest.mark.parametrize(("held", "source"), [(30, "http://held.example/"), (0, "http://a.example/0")])
def test_pictures_that_are_held_are_not_read_again(
    destination: Destination, tmp_path: Path, held: int, source: str
) -> None:
    images = tmp_path / "images"
    job(destination, images, rows(30))
    kept = [row | {"url": "http://held.example/"} for row in rows(30)]
    hand_on(begun(destination, images), 0, kept[:held])
    assert stored(destination, 30) == 30
    with destination.open() as store:
        assert store.get(kept[0]["image_id"]).source == source


def test_pictures_that_are_held_are_stored_although_their_shard_was_put_in_place(
    destination: Destination, tmp_path: Path
) -> None:
    images = tmp_path / "images"
    job(destination, images, rows(3), rows(5))
    handing = begun(destination, images)
    images.rename(tmp_path / "final")
    for number, count in ((0, 3), (1, 5)):
        early.hand_on(handing, Written(name(number), "", Tally(count)), list(rows(count)))
        assert stored(destination, count) == count
    assert early._LEFT not in log(destination)


def test_nothing_waits_in_memory_for_a_store_that_failed(destination: Destination, tmp_path: Path) -> None:
    images = tmp_path / "images"
    job(destination, images, rows(3))
    handing = begun(destination, images)
    (destination.settings.store_root / "demo" / "images.sqlite").unlink()
    for _ in range(5):
        hand_on(handing, 0, rows(3))
    assert early._last is not None
    early._last._thread.join(_SECONDS)
    hand_on(handing, 0, rows(3))
    assert early._last._waiting.empty()


def test_nobody_waits_for_a_store_that_is_busy(destination: Destination, tmp_path: Path, spark: SparkSession) -> None:
    images, many = tmp_path / "images", early._MOST + 5
    store_job = job(destination, images, *(rows(10 * (number + 1)) for number in range(many)))
    handing = begun(destination, images)
    file = destination.settings.store_root / "demo" / "images.sqlite"
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        for number in range(many):  # comes to its end although nothing can be stored
            hand_on(handing, number)
    assert stored(destination, 10) >= 10
    new, present = store_job.run(spark)
    assert new + present == sum(10 * (number + 1) for number in range(many))
    assert stored(destination, 10 * many) == 10 * many


def test_what_cannot_be_stored_is_left_to_store_which_says_why(destination: Destination, tmp_path: Path) -> None:
    images = tmp_path / "images"
    job(destination, images, rows(3), rows(4))
    handing = begun(destination, images)
    (destination.settings.store_root / "demo" / "images.sqlite").unlink()
    for number in range(2):
        hand_on(handing, number)
        assert early._last is not None
        early._last._thread.join(_SECONDS)
    assert log(destination).count(early._LEFT) == 1
    assert "was never prepared" in log(destination)


def test_shards_that_were_put_in_place_meanwhile_are_left_without_a_word(
    destination: Destination, tmp_path: Path
) -> None:
    images = tmp_path / "images"
    job(destination, images, rows(3))
    handing = begun(destination, images)
    images.rename(tmp_path / "final")
    early.hand_on(handing, Written(name(0), "", Tally(3)), [])
    assert early._last is not None
    early._last._thread.join(_SECONDS)
    assert early._LEFT not in log(destination)
    assert stored(destination, 0) == 0


def test_a_store_that_cannot_be_made_ready_takes_nothing(destination: Destination) -> None:
    (destination.settings.store_root / "demo").mkdir(parents=True)
    (destination.settings.store_root / "demo" / "images.sqlite").write_bytes(b"no database" * 100)
    assert early.begin(FS, "images", destination) is None
    assert early._LEFT in log(destination)


def test_only_a_store_on_this_machine_takes_pictures_early(tmp_path: Path) -> None:
    here = Settings(env="test", home=tmp_path)
    assert takes_early(here)
    for changed in (
        {"images": {"url": "mongodb://127.0.0.1:1"}},
        {"spark": {"remote": "sc://127.0.0.1:15002"}},
        {"spark": {"master": "spark://127.0.0.1:7077"}},
    ):
        assert not takes_early(Settings(env="test", home=tmp_path, **changed))  # type: ignore[arg-type]
