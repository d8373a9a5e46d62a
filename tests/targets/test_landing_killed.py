"""Exactly once, whatever step a kill comes before: claims and answers are mended by the next run."""

from __future__ import annotations

import gzip
import json
import random
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from targets.landing import Landing, claiming, intake
from targets.register import identity
from tests.landings import Killed, dying, files_below, incoming, landing_at, outbox

CATALOGUE = b"http://pictures.example/1\n" * 20
PACKED = gzip.compress(b"http://pictures.example/2\n")
SIDE = b"http://pictures.example/3\n"
MORE = 1_000  # than a run has steps
ROOT = Path(__file__).parents[2]


def drop_all(root: Path) -> Landing:
    """One upload of each way that a claim can go."""
    landing = landing_at(root)
    incoming(root, "photos", "plain.txt").write_bytes(CATALOGUE)
    incoming(root, "photos", "packed").write_bytes(PACKED)
    incoming(root, "photos", "unfinished.part").write_bytes(b"half")
    incoming(root, "photos", "empty").touch()
    incoming(root, "photos", "link").symlink_to("/etc/passwd")
    incoming(root, "side", "list").write_bytes(SIDE)
    incoming(root, "side", "list.done").touch()
    incoming(root, "astray").write_bytes(b"x")
    return landing


def digest(feed: str, data: bytes) -> str:
    made = identity("demo", feed)
    made.update(data)
    return made.hexdigest()


ANSWERS = {
    "photos/plain.txt": digest("photos", CATALOGUE),
    "photos/packed": digest("photos", PACKED),
    "photos/empty": "upload.empty",
    "photos/link": "upload.not_a_file",
    "side/list": digest("side", SIDE),
    "astray": "upload.feed_unknown",
}


def run(landing: Landing) -> None:
    """What RunClient does with uploads."""
    for _ in landing.claim():
        continue
    for claim in landing.claims():
        said = claim.drop or (claim.refused.code if claim.refused else "")
        assert claim.refused or landing.data_of(claim.feed, said).exists()
        rejects = BytesIO(b"url,_line\n") if claim.drop else None
        landing.acknowledge(claim, {"upload": claim.upload, "said": said}, rejects)


def collect(root: Path, answers: list[tuple[str, dict[str, str]]]) -> None:
    """What the client does: it takes every answer away as soon as it sees it."""
    for file in sorted(outbox(root).rglob("*.*")):
        answered = str(file.relative_to(outbox(root))).partition(".2")[0]
        if file.name.endswith(".receipt.json"):
            answers.append((answered, json.loads(file.read_bytes())))
        else:
            assert file.read_bytes() == b"url,_line\n"
            answers.append((f"{answered} rejects", {}))
        file.unlink()


def assert_exactly_once(root: Path, answers: list[tuple[str, dict[str, str]]]) -> None:
    rejects = {f"{name} rejects" for name, said in ANSWERS.items() if not said.startswith("upload.")}
    assert Counter(name for name, _ in answers) == Counter([*ANSWERS, *rejects])
    assert {name: receipt["said"] for name, receipt in answers if receipt} == ANSWERS
    assert files_below(incoming(root)) == {"photos/unfinished.part"}
    assert files_below(root / ".claimed") == set()
    kept = Counter(path.rpartition("/")[2] for path in files_below(root / ".refused"))
    assert kept == dict.fromkeys(("upload.json", "refused.json", "file"), 3)


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy takes several steps, so that a kill may leave a half one."""
    monkeypatch.setattr(intake, "_PIECE", 200)


def killed_run(landing: Landing, step: int) -> int | None:
    """Runs until the step; how many there were if it was done before."""
    with dying(step) as steps:
        try:
            run(landing)
        except Killed:
            return None
        return steps()


def test_a_kill_before_any_step_loses_and_doubles_nothing(tmp_path: Path) -> None:
    for step in range(MORE):
        root = tmp_path / str(step)
        landing = drop_all(root)
        answers: list[tuple[str, dict[str, str]]] = []
        done = killed_run(landing, step)
        collect(root, answers)
        with dying(MORE):
            run(landing)
        collect(root, answers)
        assert_exactly_once(root, answers)
        if done is not None:
            break
    else:
        pytest.fail("the run has more steps than were tried")
    assert done > 100


def test_kills_in_the_mending_too(tmp_path: Path) -> None:
    chance = random.Random(20260101)
    for attempt in range(60):
        root = tmp_path / str(attempt)
        landing = drop_all(root)
        answers: list[tuple[str, dict[str, str]]] = []
        for _ in range(4):
            killed_run(landing, chance.randrange(250))
            collect(root, answers)
        with dying(MORE):
            run(landing)
        collect(root, answers)
        assert_exactly_once(root, answers)


_DIES = """
import os, signal, sys
from pathlib import Path
from tests.landings import Killed, dying, landing_at
from tests.targets.test_landing_killed import run
try:
    with dying(int(sys.argv[2])):
        run(landing_at(Path(sys.argv[1])))
finally:
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("step", [60, 180])
def test_a_real_kill(tmp_path: Path, step: int) -> None:
    landing = drop_all(tmp_path)
    dead = subprocess.run([sys.executable, "-c", _DIES, tmp_path, str(step)], check=False, cwd=ROOT)
    assert dead.returncode == -signal.SIGKILL
    answers: list[tuple[str, dict[str, str]]] = []
    collect(tmp_path, answers)
    run(landing)
    collect(tmp_path, answers)
    assert_exactly_once(tmp_path, answers)


def test_a_claim_keeps_its_time_over_midnight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    landing = landing_at(tmp_path)
    incoming(tmp_path, "photos", "plain.txt").write_bytes(CATALOGUE)
    before = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    monkeypatch.setattr(claiming, "now", lambda: before)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claiming, "copy_in", _die)
        with pytest.raises(Killed):
            list(landing.claim())
    monkeypatch.setattr(claiming, "now", lambda: before + timedelta(days=1))
    (claim,) = landing.claim()
    assert claim.claimed == before


def _die(*_: object) -> int:
    raise Killed


def test_a_new_sidecar_put_after_a_kill_is_kept(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    directory = incoming(tmp_path, "side")
    (directory / "list").write_bytes(b"first")
    (directory / "list.done").touch()
    _killed_before_the_sidecar_goes(landing)
    (directory / "list.done").unlink()
    (directory / "list").write_bytes(b"second")
    (directory / "list.done").write_bytes(b"another")
    assert [claim.data.read_bytes() for claim in landing.claim()] == [b"first", b"second"]
    assert files_below(directory) == set()


def test_an_old_sidecar_left_by_a_kill_completes_nothing_new(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    directory = incoming(tmp_path, "side")
    (directory / "list").write_bytes(b"first")
    (directory / "list.done").touch()
    _killed_before_the_sidecar_goes(landing)
    (directory / "list").write_bytes(b"the second, half")
    assert [claim.data.read_bytes() for claim in landing.claim()] == [b"first"]
    assert files_below(directory) == {"list"}


def _killed_before_the_sidecar_goes(landing: Landing) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claiming.Claiming, "_take_sidecar", _die)
        with pytest.raises(Killed):
            list(landing.claim())
