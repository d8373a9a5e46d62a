"""Shards that another stage's workers made, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.beforehand import hand_over, told
from spark_jobs.shards import Tally, Written
from targets.local import LocalFileSystem

FS = LocalFileSystem()
WRITTEN = [Written("a.parquet", "0" * 64, Tally(3, 1, 99), "transform.b0")]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A shard of Fetch's making."""
    path = tmp_path / "fetch/transform.b0/a.parquet"
    path.parent.mkdir(parents=True)
    path.write_text("ours")
    return path


def files(root: Path) -> dict[str, str]:
    return {str(file.relative_to(root)): file.read_text() for file in root.rglob("*") if file.is_file()}


def test_shards_come_to_where_they_are_kept(made: Path, tmp_path: Path) -> None:
    staging = tmp_path / "transform"
    hand_over(FS, str(made.parent), str(staging), "images", WRITTEN)
    assert told(FS, str(staging)) == WRITTEN
    hand_over(FS, str(made.parent), str(staging), "images", [])  # by an attempt that found all fetched
    assert told(FS, str(staging)) == WRITTEN
    assert (staging / "kept/images/a.parquet").read_text() == "ours"
    assert not made.parent.exists()


def test_what_a_killed_attempt_left_stays_and_nothing_is_said_of_it(made: Path, tmp_path: Path) -> None:
    staging = tmp_path / "transform"
    theirs = staging / "kept/images/a.parquet"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    (staging / "told.json").write_text("of those before")
    hand_over(FS, str(made.parent), str(staging), "images", WRITTEN)
    assert told(FS, str(staging)) == []
    assert files(staging) == {"kept/images/a.parquet": "theirs"}


def test_where_no_picture_was_made_there_is_nothing_to_say(tmp_path: Path) -> None:
    hand_over(FS, str(tmp_path / "none"), str(tmp_path / "transform"), "images", [])
    assert told(FS, str(tmp_path / "transform")) == []
    assert files(tmp_path) == {}
