"""A kill at any instant is harmless: SIGKILL in every stage, then the content of an undisturbed run."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from landfall.sample_web import SampleWeb, catalogue
from targets.journal import Journal
from targets.layout import STAGES
from tests.installation import Installation

SEED = 30
KILLS, KILLS_A_MOMENT = 30, 3
MOST_CATALOGUES = 8
LINES = 120
MOMENTS = ("claim", *STAGES, "acknowledge")


def content(web: SampleWeb, number: int) -> bytes:
    """A catalogue whose landing takes long enough to be met: blank lines are read, and come to nothing."""
    lines = catalogue(web.url, LINES, seed=SEED + number)
    return b"".join(line.content + b"\n" for line in lines) + (b" " * 60_000 + b"\n") * 500


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_in_every_stage(installed: Callable[[str], Installation], web: SampleWeb) -> None:
    chance = random.Random(SEED)
    calm, killed = installed("calm"), installed("killed")
    hits: Counter[str] = Counter()
    number = 0
    # A run that is quicker than it was may be missed; then there is another catalogue.
    while hits.total() < KILLS or any(hits[moment] < KILLS_A_MOMENT for moment in MOMENTS):
        assert number < MOST_CATALOGUES, dict(hits)
        for each in (calm, killed):
            each.upload(f"{number}.txt", content(web, number))
        number += 1
        assert calm.run().returncode == 0
        typical = quickest(calm)
        left = list(MOMENTS)
        while left:
            # Luigi runs Store and Load in any order: the one that begins is killed, then the other.
            moments = left[:2] if left[0] == "store" else left[:1]
            hit = kill_at(killed, moments, lambda at, typical=typical: chance.uniform(0, 0.8 * typical.get(at, 0.05)))
            hits.update([hit] if hit else [])
            left.remove(hit or moments[0])
        done = killed.run()
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr

    print(dict(hits))
    assert killed.digest() == calm.digest()
    assert [receipt["counts"] for receipt in killed.receipts()] == [receipt["counts"] for receipt in calm.receipts()]
    assert len(killed.receipts()) == number
    assert list(killed.incoming.iterdir()) == []
    assert not list((killed.home / "landing/.claimed").rglob("data"))
    assert not any((killed.lake / "_staging").iterdir())
    assert not list((killed.lake / "_leases").iterdir())


def quickest(installation: Installation) -> dict[str, float]:
    """The least time that each stage has taken (seconds)."""
    found: dict[str, float] = {}
    for entry in journal(installation):
        if entry["event"] == "finished":
            found[entry["stage"]] = min(entry["seconds"], found.get(entry["stage"], entry["seconds"]))
    return found


def kill_at(installation: Installation, moments: list[str], delay: Callable[[str], float]) -> str:
    """Starts a run and kills its tree some time after the first of the moments has begun.

    Args:
        delay: how long after a moment has begun (seconds).

    Returns:
        The moment at which the run was there to be killed; empty if it was not.
    """
    begun = {moment: _begun(installation, moment) for moment in moments}
    process = installation.start()
    tree = psutil.Process(process.pid)
    moment = ""
    while process.poll() is None and not moment:
        moment = next((each for each in moments if begun[each]()), "")
        time.sleep(0.001)
    if moment:
        time.sleep(delay(moment))
    if process.poll() is not None:
        return ""
    # Parent first: what it might still tell its children is lost, as in a power cut.
    children = tree.children(recursive=True)
    for one in (tree, *children):
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()
    psutil.wait_procs(children)
    return moment if moment not in STAGES or _is_open(installation, moment) else ""


def _begun(installation: Installation, moment: str) -> Callable[[], bool]:
    """A question whether the moment has come in the run that starts now."""
    if moment == "claim":
        return lambda: not list(installation.incoming.glob("[!.]*"))
    if moment == "acknowledge":
        before = _published(installation)
        return lambda: _published(installation) > before
    started = _count(installation, moment, "started")
    return lambda: _count(installation, moment, "started") > started


def _published(installation: Installation) -> int:
    return sum(1 for _ in (installation.lake / "published").rglob("*.b*"))


def _is_open(installation: Installation, stage: str) -> bool:
    """Whether the stage's last attempt has no end."""
    last = [entry["event"] for entry in journal(installation) if entry["stage"] == stage][-1:]
    return last == ["started"]


def _count(installation: Installation, stage: str, event: str) -> int:
    return sum(1 for entry in journal(installation) if (entry["stage"], entry["event"]) == (stage, event))


def journal(installation: Installation) -> list[dict[str, Any]]:
    return list(Journal(installation.home / "logs" / installation.client / "journal.jsonl").entries())
