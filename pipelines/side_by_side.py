"""Tasks side by side: threads over one Spark session.

Luigi's worker runs one task at a time. What can be done at once is therefore begun here, and the Luigi task of each
waits for its own: so each stands on the scheduler's page, with what became of it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Protocol

from conf.errors import LandfallError

_RUNNING: dict[str, Future[None]] = {}
_TOGETHER: dict[str, Sequence[Work]] = {}


class Work(Protocol):
    """What is run: an ``OutputTask``."""

    task_id: str

    def requires(self) -> Sequence[Work]:
        """What must be done before."""

    def complete(self) -> bool:
        """Whether it is done."""

    def make(self) -> None:
        """Does it."""


def begin(stages: Sequence[Sequence[Work]], workers: int) -> None:
    """Begins work in the background, such as the actions of a workflow, stage after stage.

    An action that fails keeps back those that read its table, and no other.

    Args:
        stages: one after the other; within a stage what comes first begins first.
        workers: how many at once.
    """
    for stage in stages:
        for work in stage:
            _RUNNING[work.task_id] = Future()
    # They die with the process: what they leave behind is what any killed run leaves.
    threading.Thread(target=_stages, args=(stages, workers), name="workflow", daemon=True).start()


def together(*works: Work) -> None:
    """Says that these are begun at once when the first of them is waited for; what they require is done by then."""
    if not any(work.task_id in _RUNNING for work in works):
        _TOGETHER.update((work.task_id, works) for work in works)


def wait(work: Work) -> bool:
    """Waits for work that was begun here, and raises what it raised; False if it was not begun here."""
    beside = _TOGETHER.get(work.task_id, ())
    missing = [other for other in beside if not other.complete()]
    if missing and work.task_id not in _RUNNING:
        begin([missing], len(missing))
    future = _RUNNING.get(work.task_id)
    if future is None:
        return False
    try:
        future.result()
    finally:
        if beside:  # waited for once: whoever runs it again, after a fault, has it begun again
            del _RUNNING[work.task_id]
    return True


def _stages(stages: Sequence[Sequence[Work]], workers: int) -> None:
    for stage in stages:
        left = iter(stage)
        taking = threading.Lock()
        threads = [
            threading.Thread(target=_one_after_the_other, args=(left, taking), name=f"action {number}", daemon=True)
            for number in range(min(workers, len(stage)))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _one_after_the_other(left: Iterator[Work], taking: threading.Lock) -> None:
    while True:
        with taking:
            work = next(left, None)
        if work is None:
            return
        _do(work)


def _do(work: Work) -> None:
    future = _RUNNING[work.task_id]
    try:
        _wait_for(work.requires())
        if not work.complete():
            work.make()
    except BaseException as error:  # noqa: BLE001  # raised again where it is waited for
        future.set_exception(error)
    else:
        future.set_result(None)


def _wait_for(others: Sequence[Work]) -> None:
    """What comes before began before: it is done, or another thread is at it."""
    for other in others:
        before = _RUNNING.get(other.task_id)
        if before is not None and before.exception() is not None:
            raise LandfallError("An action that this one reads from failed.", "See what it says.")
