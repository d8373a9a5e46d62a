from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from targets.runlog import RunLog
from tests.landfall.cli.conftest import Ended
from tests.landfall.cli.lake import Lake

Call = Callable[..., Ended]


@pytest.fixture
def log(house: Path) -> RunLog:
    directory = house / "home" / "logs" / "demo"
    directory.mkdir(parents=True)
    path = directory / "20260301T100000-abc123.jsonl"
    return RunLog(str(path), "debug", {"run": "20260301T100000-abc123", "client": "demo"})


def test_a_line_says_when_what_and_about_what(landfall: Call, log: RunLog) -> None:
    log.bind(feed="photos", drop="1a2b" * 16, stage="fetch", build="b1").warning("source is slow", host="h", seconds=3)
    ended = landfall("logs", "--client", "demo", user="vera")
    assert ended.code == 0
    (line,) = ended.out.splitlines()
    assert "WARNING" in line
    assert "photos 1a2b1a2b1a2b fetch" in line
    assert "source is slow  host=h  seconds=3" in line


def test_the_journal_is_there_too(landfall: Call, log: RunLog) -> None:
    lake = Lake()
    lake.fail(lake.register(), "land", OSError("no"))
    out = landfall("logs", "--client", "demo").out
    assert "attempt started" in out
    assert "attempt failed" in out


def test_json_has_every_field(landfall: Call, log: RunLog) -> None:
    log.bind(feed="photos").info("done", rows=3)
    found = json.loads(landfall("logs", "--client", "demo", "--json").out)
    assert {name: found[name] for name in ("level", "event", "feed", "rows", "client")} == {
        "level": "info",
        "event": "done",
        "feed": "photos",
        "rows": 3,
        "client": "demo",
    }


@pytest.mark.parametrize(
    ("arguments", "seen"),
    [
        ([], ["a", "b", "c"]),
        (["--level", "error"], ["c"]),
        (["--drop", "1A2B"], ["b"]),
        (["--stage", "fetch"], ["b"]),
        (["--run", "2026"], ["a", "b", "c"]),
        (["--run", "2025"], []),
        (["--last", "1"], ["c"]),
    ],
)
def test_events_are_chosen(landfall: Call, log: RunLog, arguments: list[str], seen: list[str]) -> None:
    log.info("a")
    log.bind(drop="1a2b" * 16, stage="fetch").info("b")
    log.error("c")
    out = landfall("logs", "--client", "demo", "--json", *arguments).out
    assert [json.loads(line)["event"] for line in out.splitlines()] == seen


def test_nothing_that_a_terminal_obeys_gets_out(landfall: Call, log: RunLog) -> None:
    log.info("\x1b[2J[bold]x", **{"na\x1bme": "va\rlue\x9b\u202e"})
    out = landfall("logs", "--client", "demo").out
    assert out.strip("\n").isprintable()
    assert "[bold]x" in out


def test_feeds_without_a_grant_are_not_seen(landfall: Call, log: RunLog) -> None:
    log.bind(feed="photos").info("secret")
    log.bind(feed="scans").info("seen")
    out = landfall("logs", "--client", "demo", user="sam").out
    assert "seen" in out
    assert "secret" not in out


@pytest.mark.parametrize("user", ["eve", "olga"])
def test_a_denial_ends_with_77(landfall: Call, log: RunLog, user: str) -> None:
    log.info("secret")
    ended = landfall("logs", "--client", "demo" if user == "eve" else "rival", user=user)
    assert (ended.code, ended.out) == (77, "")


def test_follow_shows_what_comes_and_ends_with_130_without_a_traceback(
    landfall: Call, log: RunLog, house: Path
) -> None:
    log.info("before")
    landfall("logs", "--client", "demo")  # sets who asks
    command = [sys.executable, "-m", "landfall", "logs", "--client", "demo", "--follow", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ, text=True
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "before"
        log.info("after")
        assert json.loads(process.stdout.readline())["event"] == "after"
        other = RunLog(str(house / "home" / "logs" / "demo" / "20260301T110000-def456.jsonl"))
        other.info("in a new file")
        assert json.loads(process.stdout.readline())["event"] == "in a new file"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", [["zzzz"], ["abcd"], ["0" * 65], ["zzzz", "--follow"]])
def test_a_drop_that_is_none_is_told(landfall: Call, log: RunLog, arguments: list[str]) -> None:
    Lake().register()
    ended = landfall("logs", "--client", "demo", "--drop", *arguments)
    assert (ended.code, ended.out) == (66, "")
    assert f"has no drop whose id begins with {arguments[0]}" in ended.err


def test_a_drop_without_such_an_event_is_none_the_less_a_drop(landfall: Call, log: RunLog) -> None:
    dropped = Lake().register()
    assert landfall("logs", "--client", "demo", "--drop", dropped.id[:8], "--level", "error").code == 0


def test_a_drop_of_a_feed_without_a_grant_is_none(landfall: Call, log: RunLog) -> None:
    dropped = Lake().register()
    assert landfall("logs", "--client", "demo", "--drop", dropped.id[:8], user="sam").code == 66
