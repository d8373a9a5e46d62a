from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.run_all import share
from tests.landfall.cli.conftest import Ended
from tests.landfall.cli.lake import Lake, incoming
from tests.servers.waiting import until

Call = Callable[..., Ended]
RIVAL = '\n[[grants]]\ngroup = "operators"\nrole = "operator"\nclient = "rival"\nfeeds = "*"\n'


@given(clients=st.sets(st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)), of=st.integers(1, 9))
def test_every_client_is_in_one_share(clients: set[str], of: int) -> None:
    shares = [share(sorted(clients), index, of) for index in range(of)]
    assert sorted(client for one in shares for client in one) == sorted(clients)


def test_shares_are_about_equal() -> None:
    clients = [f"client-{number}" for number in range(1000)]
    assert all(150 < len(share(clients, index, 5)) < 250 for index in range(5))


@pytest.fixture
def _both(house: Path) -> None:
    """Olga may run rival too."""
    grants = house / "conf" / "grants.toml"
    grants.write_text(grants.read_text() + RIVAL)


def answers(house: Path, client: str) -> int:
    return len(list((house / "home/landing" / client / "outbox").rglob("*.receipt.json")))


def test_a_round_runs_whom_the_caller_may_run(landfall: Call, house: Path) -> None:
    (incoming(house) / "empty.txt").touch()
    alive = house / "alive"
    ended = landfall("run-share", "--once", "--alive", alive)
    assert ended.code == 0, ended.err
    assert "rival is left out: No group of olga has a grant on client rival." in ended.out
    assert answers(house, "demo") == 1
    assert alive.exists()


@pytest.mark.usefixtures("_both")
def test_one_clients_failure_touches_no_other(landfall: Call, house: Path) -> None:
    (house / "conf/clients/demo.toml").write_text("client = 3\n")
    place = house / "home/landing/rival/incoming/photos"
    place.mkdir(parents=True)
    (place / "empty.txt").touch()
    ended = landfall("run-share", "--once")
    assert ended.code == 1
    assert "demo: luigi ended with 30. `landfall status --client demo` says what is wrong." in ended.out
    assert "1 run did not end well" in ended.err
    assert answers(house, "rival") == 1


@pytest.mark.usefixtures("_both")
def test_the_clients_of_another_share_are_left_to_it(landfall: Call, house: Path) -> None:
    (incoming(house) / "empty.txt").touch()
    mine = next(index for index in range(2) if share(["demo"], index, 2))
    assert landfall("run-share", "--once", "--index", 1 - mine, "--of", 2).code == 0
    assert answers(house, "demo") == 0
    assert landfall("run-share", "--once", "--index", mine, "--of", 2).code == 0
    assert answers(house, "demo") == 1


def test_who_may_run_nothing_is_told_so(landfall: Call) -> None:
    ended = landfall("run-share", "--once", user="vera")
    assert ended.code == 77
    assert "None of the share's clients may be run." in ended.err


def test_a_share_that_is_none(landfall: Call) -> None:
    assert landfall("run-share", "--index", 2, "--of", 2).code == 2


@pytest.fixture
def _stuck(house: Path) -> Iterator[None]:
    """Whoever runs demo waits for a lease that is not given up."""
    lake = Lake()
    with lake.fs.lease(lake.layout.lease("claims"), "{}"):
        yield


@pytest.mark.usefixtures("_stuck")
def test_a_run_that_takes_too_long_is_ended(landfall: Call) -> None:
    before = children()  # Spark's, and what servers other tests have
    ended = landfall("run-share", "--once", "--longest", 4)
    assert ended.code == 1
    assert "demo: ended after 4 seconds; the next round goes on where it stopped." in ended.out
    assert children() <= before


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.mark.usefixtures("_stuck")
def test_sigterm_ends_it_and_what_it_runs(landfall: Call, house: Path) -> None:
    landfall("--version")  # says who asks
    runner = subprocess.Popen([sys.executable, "-m", "landfall", "run-share"], env={**os.environ, "PYTHONPATH": REPO})
    process = psutil.Process(runner.pid)
    until(lambda: bool(process.children()), "it runs a client")
    started = process.children(recursive=True)
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(90) == 0
    assert not any(child.is_running() for child in started)


REPO = str(Path(__file__).parents[3])
