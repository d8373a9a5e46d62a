"""A run whose people are on a directory server: a grant that ends meanwhile, a server that goes away in every stage."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest
import trustme

from landfall.sample_web import SampleWeb, catalogue
from targets.layout import STAGES
from tests.installation import OPERATOR, Installation
from tests.pipelines.holding import events, held
from tests.servers.ldap import Slapd, running

LINES = 60


@pytest.fixture
def slapd(tmp_path: Path) -> Iterator[Slapd]:
    """The operator, who is in the group that may run the client."""
    with running(tmp_path / "slapd", trustme.CA()) as server:
        server.group("operators", server.person(OPERATOR, f"password of {OPERATOR}"))
        server.group("viewers", server.person("vera", "password of vera"))
        yield server


@pytest.fixture
def asking(installation: Installation, slapd: Slapd) -> Installation:
    return asks(installation, slapd)


def asks(installation: Installation, slapd: Slapd) -> Installation:
    """Has the installation ask this server, each time anew."""
    (installation.home / "directory.json").unlink()
    with (installation.conf / "test.toml").open("a") as settings:
        settings.write(slapd.toml(cache_seconds=0))
    return installation


def content(web: SampleWeb) -> bytes:
    return b"".join(line.content + b"\n" for line in catalogue(web.url, LINES, seed=4))


def run_and(installation: Installation, stages: Collection[str], happens: Callable[[], None]) -> tuple[str, int, str]:
    """Runs the client; in the middle of the first of these stages, while the run holds still, something happens.

    Returns:
        The stage, the run's exit code and what it said.
    """
    with held(installation, stages) as run:
        stage = run.stage()
        assert stage, run.output.read_text()
        happens()
        run.go_on()
        return stage, *run.end()


def test_who_leaves_the_group_in_the_middle_of_a_run_gets_no_further(
    asking: Installation, slapd: Slapd, web: SampleWeb
) -> None:
    asking.upload("a.txt", content(web))
    group, person = f"cn=operators,{slapd.section()['group_base']}", f"uid={OPERATOR},{slapd.section()['user_base']}"

    _, code, said = run_and(asking, ["fetch"], lambda: slapd.leave(group, person))

    assert code == 30, said
    assert f"No group of {OPERATOR} has a grant on client demo." in said
    assert "Traceback" not in said
    assert events(asking, "finished") == ["land", "validate", "fetch"]
    assert asking.receipts() == []
    assert asking.landfall("status", "--client", "demo", user="vera").returncode == 0
    assert asking.run().returncode == 30

    slapd.join(group, person)
    again = asking.run()
    assert again.returncode == 0, again.stdout + again.stderr
    # Nothing was begun a second time.
    assert sorted(events(asking, "started")) == sorted([*STAGES, "action"])
    (receipt,) = asking.receipts()
    assert receipt["counts"]["lines"] == LINES


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_server_that_goes_away_in_the_middle_of_each_stage_and_comes_back(
    installed: Callable[[str], Installation], slapd: Slapd, web: SampleWeb
) -> None:
    calm, met = installed("calm"), asks(installed("met"), slapd)
    for each in (calm, met):
        each.upload("a.txt", content(web))
    assert calm.run().returncode == 0

    left = list(STAGES)
    while left:
        stage, code, said = run_and(met, left, slapd.kill if len(left) % 2 else slapd.stop)
        slapd.start()
        assert code == 30, said
        assert f"The directory cannot be reached ({slapd.ldaps}: it refuses the connection)" in said
        assert "Traceback" not in said
        # What was begun is done, Store and Load beside each other perhaps, and nothing else was begun.
        assert stage in events(met, "finished")
        assert sorted(events(met, "started")) == sorted(events(met, "finished"))
        left = [each for each in left if each not in events(met, "finished")]

    done = met.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(events(met, "started")) == sorted([*STAGES, "action"])
    assert met.digest() == calm.digest()
    assert [receipt["counts"] for receipt in met.receipts()] == [receipt["counts"] for receipt in calm.receipts()]


def test_commands_ask_the_directory_server(asking: Installation, slapd: Slapd) -> None:
    allowed = asking.landfall("explain-access", "--user", OPERATOR, "--client", "demo", "--action", "run")
    assert (allowed.returncode, allowed.stdout.split(".")[0]) == (0, "Yes"), allowed.stderr
    begun = asking.landfall("init")
    assert begun.returncode == 0, begun.stderr
    assert "no demo operator" in begun.stdout
    assert not (asking.home / "directory.json").exists()
    slapd.stop()
    denied = asking.landfall("status", "--client", "demo")
    assert denied.returncode == 77
    assert "The directory cannot be reached" in denied.stderr
