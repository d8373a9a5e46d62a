from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfall import history
from landfall.history import Event, Filter
from targets.journal import Journal
from targets.runlog import RunLog

ANY = Filter()


def write(directory: Path, run: str, *events: dict[str, Any]) -> Path:
    """A run log with these events; ``timestamp`` defaults to the run's begin."""
    directory.mkdir(exist_ok=True)
    begin = f"{run[:4]}-{run[4:6]}-{run[6:8]}T{run[9:11]}:{run[11:13]}:{run[13:15]}Z"
    path = directory / f"{run}-abc123.jsonl"
    lines = ({"timestamp": begin, "level": "info", "event": "e", "run": run, **event} for event in events)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def names(found: Any) -> list[str]:
    return [event.event for event in found]


def test_runs_and_journal_are_merged_by_time(tmp_path: Path) -> None:
    write(
        tmp_path,
        "20260301T100000",
        {"event": "a", "timestamp": "2026-03-01T10:00:00.1Z"},
        {"event": "d", "timestamp": "2026-03-01T10:00:09Z"},
    )
    write(tmp_path, "20260301T100002", {"event": "c", "timestamp": "2026-03-01T10:00:03Z"})
    (tmp_path / "journal.jsonl").write_text(
        json.dumps({"time": "2026-03-01T10:00:01+00:00", "event": "started", "stage": "land"}) + "\n"
    )
    assert names(history.events(tmp_path, ANY)) == ["a", "attempt started", "c", "d"]


@given(
    runs=st.lists(st.lists(st.integers(0, 3599), min_size=1, max_size=5).map(sorted), max_size=5),
)
def test_merging_sorts_whatever_overlaps(runs: list[list[int]], tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("logs")

    def clock(second: int) -> str:
        return f"{second // 60:02}:{second % 60:02}"

    for number, seconds in enumerate(runs):
        begin = clock(seconds[0]).replace(":", "")
        lines = [{"timestamp": f"2026-03-01T10:{clock(s)}Z", "level": "info", "event": str(s)} for s in seconds]
        (directory / f"20260301T10{begin}-{number}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    assert [int(name) for name in names(history.events(directory, ANY))] == sorted(itertools.chain(*runs))


def test_what_the_run_log_and_the_journal_write_is_read_back(tmp_path: Path) -> None:
    RunLog(str(tmp_path / "20260301T100000-abc123.jsonl"), context={"run": "r", "feed": "photos"}).warning("hot", at=3)
    with Journal(tmp_path / "journal.jsonl").attempt(
        run="r", feed="photos", drop="d", stage="land", build="b1"
    ) as result:
        result["counts"] = {"lines": 2}
    log, started, finished = history.events(tmp_path, ANY)
    assert (log.level, log.event, log.context, log.fields) == (
        "warning",
        "hot",
        {"run": "r", "feed": "photos"},
        {"at": 3},
    )
    assert (started.event, finished.event) == ("attempt started", "attempt finished")
    assert finished.context == {"run": "r", "feed": "photos", "drop": "d", "stage": "land", "build": "b1"}
    assert finished.fields["counts"] == {"lines": 2}


def test_a_failed_attempt_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError), Journal(tmp_path / "journal.jsonl").attempt(stage="land"):
        raise OSError("no")
    assert [event.level for event in history.events(tmp_path, ANY)] == ["info", "error"]


@pytest.mark.parametrize("line", [b"", b"{", b"[1]", b'"text"', b"\xff\xfe", b"null"])
def test_a_line_that_is_no_event_is_passed_over(line: bytes) -> None:
    assert Event.parse(line, journal=False) is None


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        (Filter(), ["plain", "debug", "photos", "other", "error"]),
        (Filter(feeds=frozenset({"photos"})), ["plain", "debug", "photos", "error"]),
        (Filter(drop="1a"), ["photos"]),
        (Filter(run="20260301"), ["plain", "debug", "photos", "other", "error"]),
        (Filter(run="2027"), []),
        (Filter(stage="fetch"), ["photos"]),
        (Filter(level="warning"), ["error"]),
        (Filter(level="info"), ["plain", "photos", "other", "error"]),
    ],
)
def test_events_are_chosen(tmp_path: Path, wanted: Filter, seen: list[str]) -> None:
    write(
        tmp_path,
        "20260301T100000",
        {"event": "plain"},
        {"event": "debug", "level": "debug"},
        {"event": "photos", "feed": "photos", "drop": "1a2b", "stage": "fetch"},
        {"event": "other", "feed": "other", "drop": "2b"},
        {"event": "error", "level": "error"},
    )
    assert names(history.events(tmp_path, wanted)) == seen


def test_follow_sees_new_lines_and_new_files_but_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_SECONDS_BETWEEN_LOOKS", 0)
    first = write(tmp_path, "20260301T100000", {"event": "a"}, {"event": "b"})
    half = '{"timestamp": "2026-03-01T10:00:05Z", "level": "info", "event": "c"'
    looks = 0

    def going_on() -> bool:
        nonlocal looks
        looks += 1
        if looks == 2:
            with first.open("a") as file:
                file.write(half)
        elif looks == 3:
            write(tmp_path, "20260301T110000", {"event": "d"})
        elif looks == 4:
            with first.open("a") as file:
                file.write("}\n")
        return looks < 4

    found = []
    for event in history.follow(tmp_path, ANY, going_on, last=1):
        found.append((looks, event.event))
    assert found == [(1, "b"), (3, "d"), (4, "c")]


def test_a_client_without_logs_has_no_events(tmp_path: Path) -> None:
    assert list(history.events(tmp_path / "none", ANY)) == []


def test_many_runs_do_not_need_many_open_files(tmp_path: Path) -> None:
    import resource

    for number in range(300):
        write(tmp_path, f"202603{1 + number // 60:02}T10{number % 60:02}00", {"event": str(number)})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    try:
        assert names(history.events(tmp_path, ANY)) == [str(number) for number in range(300)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
