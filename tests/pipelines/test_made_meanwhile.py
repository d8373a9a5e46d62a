"""Pictures are made while others are fetched, as far as that harms nobody."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from landfall.sample_web import SampleWeb, catalogue
from targets.flock import hold
from tests.installation import Installation
from tests.pipelines.holding import events, held
from tests.servers.waiting import until

LINES, SEED = 300, 12
_LEASE = "from pipelines import Transform; print(Transform(client='demo', feed='photos', drop='{}').lease_path)"


@pytest.fixture
def uploaded(installation: Installation, web: SampleWeb) -> Installation:
    """An installation with a catalogue of two shards, with every kind of fault."""
    lines = catalogue(web.url, LINES, seed=SEED)
    installation.upload("catalogue.txt", b"".join(line.content + b"\n" for line in lines))
    return installation


def logged(installation: Installation, event: str) -> list[dict[str, Any]]:
    """What the run logs say of it."""
    files = (installation.home / "logs" / installation.client).glob("2*.jsonl")
    entries = (json.loads(line) for file in sorted(files) for line in file.read_text().splitlines())
    return [entry for entry in entries if entry["event"] == event]


def drop(installation: Installation) -> str:
    """The only one."""
    [path] = (installation.lake / "drops" / "photos").glob("*.json")
    return path.stem


def manifest(installation: Installation, stage: str) -> tuple[Path, dict[str, Any]]:
    """The directory of a stage's only output, and what its manifest says."""
    [path] = installation.lake.glob(f"*/photos/{stage}/**/_manifest.json")
    return path.parent, json.loads(path.read_bytes())


def check(installation: Installation) -> dict[str, int]:
    """Every digest of Transform's manifest is the file's; its counts."""
    place, said = manifest(installation, "transform")
    assert {name for name in said["files"] if name.startswith("images/")} == {
        f"images/{file.name}" for file in (place / "images").iterdir()
    }
    for name, file in said["files"].items():
        assert file["sha256"] == hashlib.sha256((place / name).read_bytes()).hexdigest(), name
    counts: dict[str, int] = said["counts"]
    return counts


def test_a_kill_before_transform_loses_no_picture_that_was_made(uploaded: Installation) -> None:
    with held(uploaded, ["transform"]) as run:
        assert run.stage() == "transform"
        made = logged(uploaded, "shard transformed")
        assert sorted(entry["shard"] for entry in made) == ["part-00000-r0.parquet", "part-00001-r0.parquet"]
        images = list((uploaded.lake / "_staging").glob("photos.*.transform.*/kept/images/*.parquet"))
        assert len(images) == len(made)
        written = {file.name: file.stat().st_mtime_ns for file in images}
    done = uploaded.run()  # that one was killed
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(logged(uploaded, "shard transformed")) == len(made)
    place, _ = manifest(uploaded, "transform")
    assert {file.name: file.stat().st_mtime_ns for file in (place / "images").iterdir()} == written
    assert check(uploaded)["ok"] == sum(entry["ok"] for entry in made) > 0
    assert uploaded.landfall("images", "verify", "--client", uploaded.client).returncode == 0


def test_what_another_run_is_at_is_left_to_it(uploaded: Installation) -> None:
    with held(uploaded, ["fetch"]) as run:
        assert run.stage() == "fetch"
        ask = _LEASE.format(drop(uploaded))
        asked = subprocess.run(
            [sys.executable, "-c", ask], env=uploaded.environment(), capture_output=True, text=True, check=True
        )
        with hold(asked.stdout.split()[-1], "another run"):
            run.go_on()
            until(lambda: "fetch" in events(uploaded, "finished"), "all is fetched", 280)
            assert logged(uploaded, "shard fetched")
            assert logged(uploaded, "shard transformed") == []
        code, said = run.end()
        assert code == 0, said
    assert len(logged(uploaded, "shard transformed")) == len(logged(uploaded, "shard fetched"))
    check(uploaded)


def test_digests_are_those_that_workers_told_of(uploaded: Installation) -> None:
    done = uploaded.run()
    assert done.returncode == 0, done.stdout + done.stderr
    check(uploaded)
