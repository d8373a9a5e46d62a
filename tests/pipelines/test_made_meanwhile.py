"""Pictures are made while others are fetched, as far as that harms nobody."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from landfall.sample_web import SampleWeb, catalogue
from targets.flock import hold
from tests.installation import Installation
from tests.pipelines.holding import events, held
from tests.servers.waiting import until

LINES, SEED = 300, 12
SHARDS = 2
FAILED = 30

_LEASE = "from pipelines import Transform; print(Transform(client='demo', feed='photos', drop='{}').lease_path)"
# Luigi as its command runs it, in a process that reads no file of pictures for its digest.
_NO_DIGESTS = """
import sys
from targets import dataset
whole = dataset.file_digest
def digest(fs, path):
    assert "/images/" not in path, path
    return whole(fs, path)
dataset.file_digest = digest
from luigi.cmdline import luigi_run
luigi_run(sys.argv[2:])
"""


@pytest.fixture
def uploaded(installation: Installation, web: SampleWeb) -> Installation:
    """An installation with a catalogue of two shards, with every kind of fault."""
    lines = catalogue(web.url, LINES, seed=SEED)
    installation.upload("catalogue.txt", b"".join(line.content + b"\n" for line in lines))
    return installation


@pytest.fixture
def waiting(installation: Installation, web: SampleWeb, request: pytest.FixtureRequest) -> Installation:
    """An installation whose drop is held: of its 300 pictures 30 came to nothing, and will come the next time."""
    of_test = hashlib.sha256(request.node.name.encode()).hexdigest()[:8]
    urls = [f"{web.url}/id/{n}/60/40?{of_test}{'' if n % 10 else '&fault=flaky&times=4'}" for n in range(LINES)]
    installation.upload("catalogue.txt", "".join(f"{url}\n" for url in urls).encode())
    done = installation.run()
    assert done.returncode == FAILED, done.stdout + done.stderr
    return installation


def logged(installation: Installation, event: str) -> list[dict[str, Any]]:
    """What the run logs say of it."""
    files = (installation.home / "logs" / installation.client).glob("2*.jsonl")
    entries = (json.loads(line) for file in sorted(files) for line in file.read_text().splitlines())
    return [entry for entry in entries if entry["event"] == event]


def staged(installation: Installation, place: str) -> dict[str, int]:
    """Shards of pictures in a staging directory, and when each was written."""
    files = (installation.lake / "_staging").glob(f"{place}/*.parquet")
    return {file.name: file.stat().st_mtime_ns for file in files}


def output(installation: Installation, stage: str) -> tuple[Path, dict[str, Any]]:
    """The directory of a stage's only output, and what its manifest says."""
    [path] = installation.lake.glob(f"*/photos/{stage}/**/_manifest.json")
    return path.parent, json.loads(path.read_bytes())


def stored(installation: Installation) -> int:
    """How many pictures the image store has."""
    [store] = installation.home.glob("images/**/*.sqlite")
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as opened:
        return int(opened.execute("SELECT count(*) FROM images").fetchone()[0])


def check(installation: Installation) -> dict[str, int]:
    """Every digest of Transform's manifest is the file's, every original's picture is there once; its counts."""
    place, said = output(installation, "transform")
    assert {name for name in said["files"] if name.startswith("images/")} == {
        f"images/{file.name}" for file in (place / "images").iterdir()
    }
    for name, file in said["files"].items():
        assert file["sha256"] == hashlib.sha256((place / name).read_bytes()).hexdigest(), name
    originals = pq.read_table(output(installation, "fetch")[0] / "originals", columns=["line", "rule"]).to_pylist()
    lines = pq.read_table(place / "images", columns=["line"])["line"].to_pylist()
    assert sorted(lines) == sorted(row["line"] for row in originals if row["rule"] == "ok")
    assert installation.landfall("images", "verify", "--client", installation.client).returncode == 0
    counts: dict[str, int] = said["counts"]
    return counts


def test_a_kill_before_transform_loses_no_picture_that_was_made(uploaded: Installation) -> None:
    """Nor does the next run's process read one for its digest."""
    with held(uploaded, ["transform"]) as run:
        assert run.stage() == "transform"
        made = logged(uploaded, "shard transformed")
        assert sorted(entry["shard"] for entry in made) == ["part-00000-r0.parquet", "part-00001-r0.parquet"]
        written = staged(uploaded, "photos.*.transform.*/kept/images")
        assert len(written) == len(made)
        sound = sum(entry["ok"] for entry in made)
        assert sound > 0
        until(lambda: stored(uploaded) == sound, "all pictures are in the store, too", 100)
    command = [sys.executable, "-c", _NO_DIGESTS, *uploaded.luigi_command()]  # that one was killed
    done = subprocess.run(
        command, env=uploaded.environment(), cwd=uploaded.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(logged(uploaded, "shard transformed")) == len(made)
    place, _ = output(uploaded, "transform")
    assert {file.name: file.stat().st_mtime_ns for file in (place / "images").iterdir()} == written
    assert check(uploaded)["ok"] == sound


@pytest.mark.slow
def test_what_another_run_is_at_is_left_to_it(uploaded: Installation) -> None:
    """It has the lease, and may have listed what is there: nothing comes in between."""
    with held(uploaded, ["fetch"]) as run:
        assert run.stage() == "fetch"
        [drop] = (uploaded.lake / "drops" / "photos").glob("*.json")
        ask = [sys.executable, "-c", _LEASE.format(drop.stem)]
        asked = subprocess.run(ask, env=uploaded.environment(), capture_output=True, text=True, check=True)
        with hold(asked.stdout.split()[-1], "another run"):
            run.go_on()
            until(lambda: "fetch" in events(uploaded, "finished"), "all is fetched", 280)
            [left] = logged(uploaded, "pictures are made again")
            assert left["error"] == "the stage's lease is held by another run"
            assert not staged(uploaded, "photos.*.transform.*/kept/images")
        code, said = run.end()
        assert code == 0, said
    assert len(logged(uploaded, "shard transformed")) == 2 * SHARDS
    check(uploaded)


@pytest.mark.slow
def test_what_a_held_drop_has_is_not_made_again(waiting: Installation) -> None:
    written = staged(waiting, "photos.*.fetch.*/transform.*")
    assert len(written) == SHARDS
    done = waiting.run()
    assert done.returncode == 0, done.stdout + done.stderr
    place, _ = output(waiting, "transform")
    images = {file.name: file.stat().st_mtime_ns for file in (place / "images").iterdir()}
    assert images.items() >= written.items()
    rounds = sorted(entry["shard"] for entry in logged(waiting, "shard transformed"))
    assert rounds == [f"part-0000{shard}-r{number}.parquet" for shard in range(SHARDS) for number in range(2)]
    assert check(waiting)["ok"] == LINES


def test_a_held_drop_whose_pictures_are_to_be_others_has_no_old_ones(waiting: Installation) -> None:
    before = staged(waiting, "photos.*.fetch.*/transform.*")
    done = waiting.run(LANDFALL_IMAGES__JPEG_QUALITY="50")
    assert done.returncode == 0, done.stdout + done.stderr
    place, said = output(waiting, "transform")
    made = pq.read_table(place / "images", columns=["transforms"])["transforms"].unique().to_pylist()
    assert made == [said["settings"]["transforms"]]
    assert len(before) == SHARDS
    assert check(waiting)["ok"] == LINES
    assert not any((waiting.lake / "_staging").iterdir())


@pytest.mark.slow
def test_nothing_is_made_for_a_stage_whose_output_is_there(uploaded: Installation) -> None:
    done = uploaded.run()
    assert done.returncode == 0, done.stdout + done.stderr
    place, said = output(uploaded, "fetch")
    place.rename(uploaded.root / "aside")
    done = uploaded.luigi(
        "Fetch", "--local-scheduler", "--client", said["client"], "--feed", "photos", "--drop", said["drop"]
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert output(uploaded, "fetch")[0] == place
    assert len(logged(uploaded, "shard fetched")) == 2 * SHARDS
    assert len(logged(uploaded, "shard transformed")) == SHARDS
    assert not any((uploaded.lake / "_staging").iterdir())
