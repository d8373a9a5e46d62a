"""A task that tells how far it is: on the scheduler page, also when a thread does it, and in the run log."""

from __future__ import annotations

from collections.abc import Callable

import luigi

from pipelines.telling import explain, say_progress, show, show_share
from spark_jobs.shards import Tally
from targets.runlog import RunLog


class TellingTask(luigi.Task):
    """The base of tasks that make something."""

    # What was told last. The scheduler page takes nothing from a task that Luigi does not run yet.
    _said = ""
    _share = 0, 0

    @property
    def log(self) -> RunLog:
        """The run log, which knows of which task its lines are."""
        raise NotImplementedError

    def say(self, message: str) -> None:
        """A sentence for the scheduler page and the run log."""
        self._said = message
        show(self, message)
        self.log.info(message)

    def step(self, done: int, total: int, message: str) -> None:
        """Tells that so many of the task's steps are done, and what comes next."""
        self._share = done, total
        show_share(self, done, total)
        self.say(message)

    def progress(self, total: int, what: str) -> Callable[[Tally], None]:
        """A callback that tells the scheduler page and the run log how far the task is.

        Args:
            total: rows in all.
            what: what a row is, in the plural.
        """

        def report(tally: Tally) -> None:
            self.step(tally.ok + tally.failed, total, say_progress(tally, total, what))

        return report

    def show_again(self) -> None:
        """Puts on the scheduler page what a thread told before Luigi ran the task."""
        if self._said:
            show_share(self, *self._share)
            show(self, self._said)

    def on_failure(self, exception: BaseException) -> str:
        """What the scheduler page shows."""
        return explain(super().on_failure, exception)
