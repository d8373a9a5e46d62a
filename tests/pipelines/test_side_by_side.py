"""Tasks that one worker has done at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import luigi
import pytest

from conf.errors import LandfallError
from pipelines import side_by_side
from pipelines.output_task import OutputTask
from targets.runlog import RunLog
from tests.servers.waiting import until

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


class Quick(OutputTask):
    """One that is done before Luigi comes to it."""

    place = luigi.Parameter()
    made = False

    @property
    def log(self) -> RunLog:
        return RunLog(str(self.place))

    def is_done(self) -> bool:
        return self.made

    def make(self) -> None:
        self.step(1, 1, "quick is done: 3 rows")
        self.made = True


def test_what_was_said_before_luigi_came_to_a_task_stands_on_its_page(tmp_path: Path) -> None:
    slow, quick = Task("slow", lambda: None), Quick(client="demo", place=str(tmp_path / "run.jsonl"))  # type: ignore[no-untyped-call]
    side_by_side.together(slow, quick)
    side_by_side.wait(slow)
    until(quick.is_done, "quick is done")
    shown = list[object]()
    quick.set_status_message = quick.set_progress_percentage = shown.append
    quick.run()
    assert shown[-2:] == [100, "quick is done: 3 rows"]
