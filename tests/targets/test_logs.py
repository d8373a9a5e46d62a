"""The run log and the journal."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from conf.errors import StorageError
from targets.journal import Journal
from targets.runlog import RunLog


def events(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_event_carries_its_context(tmp_path: Path) -> None:
    log = RunLog(str(tmp_path / "run.jsonl"), context={"run": "r1"}).bind(stage="fetch")
    pickle.loads(pickle.dumps(log)).info("shard fetched", ok=3)
    (event,) = events(tmp_path / "run.jsonl")
    assert {"run": "r1", "stage": "fetch", "event": "shard fetched", "ok": 3, "level": "info"}.items() <= event.items()
    assert str(event["timestamp"]).endswith("Z")
    assert (tmp_path / "run.jsonl").stat().st_mode & 0o777 == 0o600


def test_no_secret_is_written(tmp_path: Path) -> None:
    log = RunLog(str(tmp_path / "run.jsonl"))
    log.info("asked", url="https://user:hunter2@example.org/1", password="hunter2")
    assert "hunter2" not in (tmp_path / "run.jsonl").read_text()


def test_lower_levels_are_left_out(tmp_path: Path) -> None:
    log = RunLog(str(tmp_path / "run.jsonl"), level="warning")
    log.info("no")
    log.error("yes")
    assert [event["event"] for event in events(tmp_path / "run.jsonl")] == ["yes"]


def test_the_journal_keeps_failures_and_successes(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "logs/journal.jsonl")
    with pytest.raises(StorageError), journal.attempt(stage="land", drop="d"):
        raise StorageError("The disk is full.", "Make space.")
    with journal.attempt(stage="land", drop="d") as result:
        result["counts"] = {"lines": 3}
    found = list(journal.entries())
    assert [entry["event"] for entry in found] == ["started", "failed", "started", "finished"]
    assert found[1]["error"] == "The disk is full. Make space."
    assert found[3]["counts"] == {"lines": 3}
    assert found[3]["seconds"] >= 0


def test_a_line_that_a_crash_cut_short_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"event": "started"}\n{"event": "fin')
    assert [entry["event"] for entry in Journal(path).entries()] == ["started"]
