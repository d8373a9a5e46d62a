from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conf.client import load_client
from conf.errors import DropHeld, StorageError
from conf.settings import load_settings
from targets.landing import Landing
from tests.landfall.cli.conftest import Ended
from tests.landfall.cli.lake import Lake, incoming

Call = Callable[..., Ended]


@pytest.fixture
def lake() -> Lake:
    return Lake()


def status(landfall: Call, *arguments: str, user: str = "vera") -> Any:
    ended = landfall("status", "--client", "demo", "--json", *arguments, user=user)
    assert ended.code == 0, ended.err
    (client,) = json.loads(ended.out)
    return client


def stage(client: Any, name: str) -> Any:
    (drop,) = client["drops"]
    return next(stage for stage in drop["stages"] if stage["stage"] == name)


def test_a_client_that_never_dropped(landfall: Call) -> None:
    ended = landfall("status", "--client", "demo")
    assert ended.code == 0
    assert "No drop yet." in ended.out
    assert "0 drops published" in ended.out


def test_uploads_and_why_they_are_not_taken(landfall: Call, house: Path) -> None:
    (incoming(house) / "a.txt").write_text("x")
    (incoming(house) / "b.txt.part").write_text("x")
    (incoming(house, "scans") / "c.txt").write_text("x")
    ended = landfall("status", "--client", "demo", user="vera")
    assert "Waits for the next run." in ended.out
    assert "Its name marks an upload under way." in ended.out
    assert "It waits for c.txt.done." in ended.out
    assert "luigi --module pipelines RunClient --client demo" in ended.out


def test_a_registered_drop_waits(landfall: Call, lake: Lake) -> None:
    lake.register()
    client = status(landfall)
    assert client["drops"][0]["state"] == "waiting"
    assert client["drops"][0]["at"] == "land"
    assert {stage["state"] for stage in client["drops"][0]["stages"]} == {"waiting"}


def test_a_running_stage_tells_how_far_it_is_and_who_runs_it(landfall: Call, lake: Lake) -> None:
    drop = lake.register()
    lake.finish(drop, "land", lines=12)
    lake.finish(drop, "validate", requests=10)
    lake.begin(drop, "fetch")
    lake.shard(drop, "part-00000-r0", ok=3, failed=1)
    lake.shard(drop, "part-00001-r0", ok=2, failed=0)
    with lake.fs.lease(lake.lease(drop, "fetch"), '{"run": "r1", "pid": 42, "host": "h"}'):
        client = status(landfall)
        shown = landfall("status", "--client", "demo", user="vera").out
    assert client["drops"][0]["state"] == "running"
    assert stage(client, "fetch")["progress"] == {"done": 5, "failed": 1, "left": 4}
    assert stage(client, "fetch")["holder"]["pid"] == 42
    assert stage(client, "land")["counts"] == {"lines": 12}
    assert "running in fetch" in shown
    assert "5 pictures done, 1 failed, 4 left; run r1 (process 42 on h)" in shown
    assert "luigi" not in shown


def test_a_drop_that_waits_for_its_turn_in_a_run_needs_no_other_run(landfall: Call, lake: Lake) -> None:
    first = lake.register()
    lake.register(content="another")
    assert "luigi" in landfall("status", "--client", "demo", user="vera").out
    lake.begin(first, "land")
    with lake.fs.lease(lake.lease(first, "land"), '{"run": "r1", "pid": 42, "host": "h"}'):
        assert "luigi" not in landfall("status", "--client", "demo", user="vera").out


def test_a_killed_run_is_told_from_a_running_one(landfall: Call, lake: Lake) -> None:
    drop = lake.register()
    lake.begin(drop, "land")
    client = status(landfall)
    assert client["drops"][0]["state"] == "broke off"
    assert "Run the client again" in client["drops"][0]["wrong"]


def test_an_output_that_is_in_place_counts_although_the_journal_does_not_know(landfall: Call, lake: Lake) -> None:
    drop = lake.register()
    lake.begin(drop, "land")
    lake.make(drop, "land", lines=7)
    client = status(landfall)
    assert stage(client, "land")["state"] == "done"
    assert stage(client, "land")["counts"] == {"lines": 7}
    assert client["drops"][0]["state"] == "waiting"


@pytest.mark.parametrize(
    ("error", "state"),
    [(DropHeld("3 failed.", "Run again."), "held"), (StorageError("The disk is full.", "Make space."), "failed")],
)
def test_what_is_wrong_and_what_to_do(landfall: Call, lake: Lake, error: BaseException, state: str) -> None:
    drop = lake.register()
    lake.fail(drop, "fetch", error)
    client = status(landfall)
    assert client["drops"][0]["state"] == state
    assert client["drops"][0]["wrong"] == str(error)
    assert str(error) in landfall("status", "--client", "demo").out


def test_a_later_attempt_counts(landfall: Call, lake: Lake) -> None:
    drop = lake.register()
    lake.fail(drop, "land", StorageError("The disk is full."))
    lake.finish(drop, "land", lines=1, blank=1, entries=1, bytes=2)
    assert stage(status(landfall), "land")["state"] == "done"
    assert "1 line, 1 blank, 1 entry, 2 bytes" in landfall("status", "--client", "demo").out
    assert status(landfall)["drops"][0]["wrong"] == ""


def test_published_drops_are_counted_and_the_last_ones_shown(landfall: Call, lake: Lake) -> None:
    for number in range(7):
        lake.publish(lake.register(content=str(number)), lines=10, ok=8, quarantined=1, duplicate=1)
    lake.register(content="another")
    client = status(landfall)
    assert client["published"] == 7
    assert [drop["state"] for drop in client["drops"]] == ["waiting"] + ["published"] * 5
    assert client["drops"][-1]["counts"] == {"lines": 10, "ok": 8, "quarantined": 1, "duplicate": 1}


def test_feeds_without_a_grant_are_not_seen(landfall: Call, lake: Lake, house: Path) -> None:
    lake.register()
    lake.register(feed="scans", content="scan")
    (incoming(house) / "a.txt").write_text("x")
    (house / "home" / "landing" / "demo" / "incoming" / "stray.txt").write_text("x")
    client = status(landfall, user="sam")
    assert [drop["feed"] for drop in client["drops"]] == ["scans"]
    assert client["uploads"] == []


@pytest.mark.parametrize("arguments", [["status", "--client", "demo"], ["check", "demo", "photos", "a.txt"]])
def test_a_transform_that_nobody_brings_is_told_before_a_run(landfall: Call, house: Path, arguments: list[str]) -> None:
    (house / "a.txt").write_text("http://127.0.0.1:8200/1/2\n")
    client = house / "conf/clients/demo.toml"
    client.write_text(client.read_text().replace("sources", 'transforms = ["greyscale"]\nsources', 1))
    ended = landfall(*arguments)
    assert ended.code == 78
    assert "did you mean 'grayscale'" in ended.err


def test_without_a_client_all_that_are_granted_are_shown(landfall: Call) -> None:
    ended = landfall("status", "--json", user="vera")
    assert [client["client"] for client in json.loads(ended.out)] == ["demo"]


@pytest.mark.parametrize("arguments", [["--client", "demo"], ["--client", "nobody"], ["--client", "rival"], []])
def test_a_denial_reads_nothing_and_ends_with_77(landfall: Call, house: Path, arguments: list[str]) -> None:
    ended = landfall("status", *arguments, user="eve")
    assert (ended.code, ended.out) == (77, "")
    assert "Traceback" not in ended.err
    assert not (house / "home" / "lake").exists()


def test_a_hostile_name_does_not_reach_the_terminal(landfall: Call, lake: Lake, house: Path) -> None:
    lake.register(name="\x1b[2J[red]x")
    (incoming(house) / "\x1b]0;gone\x07.txt").write_text("x")
    ended = landfall("status", "--client", "demo")
    assert "\x1b" not in ended.out
    assert "[red]x" in ended.out


def test_refused_uploads_and_why(landfall: Call, house: Path) -> None:
    (incoming(house) / "empty.txt").touch()
    landing = Landing(load_settings().landing_root, load_client("demo"), load_settings().landing)
    for claim in landing.claim():
        landing.acknowledge(claim, {}, None)
    (refused,) = status(landfall)["refused"]
    assert refused["name"] == "empty.txt"
    assert "Refused: The file holds no bytes." in landfall("status", "--client", "demo").out
    assert status(landfall, user="sam")["refused"] == []


def test_refusals_of_other_feeds_push_none_out(landfall: Call, house: Path) -> None:
    landing = Landing(load_settings().landing_root, load_client("demo"), load_settings().landing)
    (incoming(house, "scans") / "first.txt").touch()
    (incoming(house, "scans") / "first.txt.done").touch()
    for number in range(7):
        for claim in landing.claim():
            landing.acknowledge(claim, {}, None)
        (incoming(house) / f"{number}.txt").touch()
    assert [refused["name"] for refused in status(landfall, user="sam")["refused"]] == ["first.txt"]
    assert [refused["name"] for refused in status(landfall)["refused"]] == [f"{number}.txt" for number in range(1, 6)]
