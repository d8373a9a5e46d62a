"""Tasks that one worker has done at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from conf.errors import LandfallError
from pipelines import side_by_side

_SECONDS = 30


@dataclass
class Task:
    """One that needs nothing, and does what it is told."""

    task_id: str
    does: Callable[[], object]
    made: int = field(default=0)

    def requires(self) -> Sequence[Task]:
        return []

    def complete(self) -> bool:
        return self.made > 0

    def make(self) -> None:
        self.does()
        self.made += 1


def test_the_first_that_is_waited_for_begins_all() -> None:
    met = threading.Barrier(2, timeout=_SECONDS)  # passed only by two at once
    tasks = [Task(f"met {number}", met.wait) for number in range(2)]
    side_by_side.together(*tasks)
    assert all(side_by_side.wait(task) for task in tasks)
    assert [task.made for task in tasks] == [1, 1]


def test_what_is_done_is_not_done_again() -> None:
    done, left = Task("done", lambda: pytest.fail("again"), made=1), Task("left", lambda: None)
    side_by_side.together(done, left)
    assert side_by_side.wait(left)
    assert left.made == 1


def test_a_fault_is_its_own_tasks_alone_and_the_next_attempt_is_a_fresh_one() -> None:
    faults = [LandfallError("The disk is full.", "Make space.")]

    def fail_once() -> None:
        if faults:
            raise faults.pop()

    failing, sound = Task("failing", fail_once), Task("sound", lambda: None)
    side_by_side.together(failing, sound)
    with pytest.raises(LandfallError, match="disk is full"):
        side_by_side.wait(failing)
    assert side_by_side.wait(sound)
    side_by_side.together(failing, sound)
    assert side_by_side.wait(failing)
    assert [failing.made, sound.made] == [1, 1]


def test_what_was_not_begun_here_is_not_waited_for() -> None:
    assert not side_by_side.wait(Task("alone", lambda: None))
