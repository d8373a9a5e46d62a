"""Several jobs at once."""

from __future__ import annotations

import threading

import pytest

from spark_jobs import at_once
from spark_jobs.at_once import do_each
from spark_jobs.progress import silent


def test_two_are_done_at_once_and_each_is_told_as_it_begins() -> None:
    met, told = threading.Barrier(2, timeout=30), list[tuple[int, int, str]]()
    do_each(
        {"writes a": met.wait, "writes b": met.wait, "writes c": lambda: None}, lambda *step: told.append(step), 2, 5
    )
    assert sorted(told) == [(2, 5, "writes a"), (3, 5, "writes b"), (4, 5, "writes c")]


def test_a_fault_is_raised_when_the_others_have_ended() -> None:
    ended, failed = list[str](), threading.Event()

    def fail() -> None:
        failed.set()
        raise OSError("full")

    def late() -> None:
        assert failed.wait(30)
        ended.append("late")

    with pytest.raises(OSError, match="full"):
        do_each({"late": late, "fails": fail}, silent, 0, 2)
    assert ended == ["late"]


def test_none_begins_after_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_once, "_AT_ONCE", 1)

    def fail() -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        do_each({"fails": fail, "after": pytest.fail}, silent, 0, 2)
