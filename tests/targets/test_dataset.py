"""A directory that appears whole or not at all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from targets.dataset import Dataset, Manifest, staging
from targets.flock import HeldByKernel
from targets.local import LocalFileSystem

FS = LocalFileSystem()


def manifest() -> Manifest:
    return Manifest(
        stage="land",
        build="b1",
        client="demo",
        feed="photos",
        drop="d",
        logic=1,
        settings={},
        inputs={},
        counts={"lines": 3},
        times={},
        versions={},
    )


@pytest.fixture
def goal(tmp_path: Path) -> Dataset:
    return Dataset(FS, str(tmp_path / "lake/build=b1"))


def make(goal: Dataset, path: str, content: bytes, resumable: bool = False) -> None:
    with staging(goal, path, resumable, lease=HeldByKernel()) as place:
        FS.create(f"{place.table('t')}/part", content)
        assert not goal.exists()
        place.seal(manifest())


def test_it_appears_with_its_manifest(goal: Dataset, tmp_path: Path) -> None:
    make(goal, str(tmp_path / "staging"), b"content")
    assert goal.exists()
    assert FS.read(f"{goal.table('t')}/part") == b"content"
    found = goal.manifest()
    assert found.counts == {"lines": 3}
    assert found.files == {"t/part": {"bytes": 7, "sha256": hashlib.sha256(b"content").hexdigest()}}
    assert not FS.exists(str(tmp_path / "staging"))
    whole = Path(goal.path, "_manifest.json").read_bytes()
    assert goal.manifest_digest() == hashlib.sha256(whole).hexdigest()


def test_digests_that_writers_took_are_believed(goal: Dataset, tmp_path: Path) -> None:
    with staging(goal, str(tmp_path / "staging"), resumable=False, lease=HeldByKernel()) as place:
        FS.create(f"{place.table('t')}/part", b"content")
        place.seal(manifest(), {"t/part": "of the writer"})
    assert goal.manifest().files["t/part"]["sha256"] == "of the writer"


@pytest.mark.parametrize(("resumable", "kept"), [(True, ["part"]), (False, [])])
def test_what_a_failed_attempt_made(goal: Dataset, tmp_path: Path, resumable: bool, kept: list[str]) -> None:
    path = str(tmp_path / "staging")
    with pytest.raises(RuntimeError), staging(goal, path, resumable, lease=HeldByKernel()) as place:
        FS.create(f"{place.table('t')}/part", b"content")
        raise RuntimeError
    assert not goal.exists()
    with staging(goal, path, resumable, lease=HeldByKernel()) as place:
        assert [entry.name for entry in FS.list(place.table("t"))] == kept


def test_the_first_to_put_it_in_place_wins(goal: Dataset, tmp_path: Path) -> None:
    with staging(goal, str(tmp_path / "slow"), resumable=False, lease=HeldByKernel()) as place:
        FS.create(f"{place.table('t')}/part", b"slow")
        make(goal, str(tmp_path / "quick"), b"quick")
        place.seal(manifest())
    assert FS.read(f"{goal.table('t')}/part") == b"quick"
    assert not FS.exists(str(tmp_path / "slow"))


def test_a_manifest_reads_back(goal: Dataset) -> None:
    assert Manifest.from_json(manifest().to_json()) == manifest()
    assert json.loads(manifest().to_json())["schema_version"] == 1
