"""What people are told of a task: progress as they read it, faults as sentences."""

from __future__ import annotations

import logging
from collections.abc import Callable

import luigi

from conf.errors import LandfallError
from spark_jobs.shards import Tally


def show(task: luigi.Task, message: str) -> None:
    """Puts a sentence on the scheduler page; a task that no worker runs has none."""
    setter = getattr(task, "set_status_message", None)
    if setter:
        setter(message)


def show_share(task: luigi.Task, done: int, total: int) -> None:
    """Moves the bar on the scheduler page."""
    setter = getattr(task, "set_progress_percentage", None)
    if setter and total:
        setter(round(100 * done / total))


def say_progress(tally: Tally, total: int, what: str) -> str:
    """How far a stage is, as a person reads it."""
    left = max(total - tally.ok - tally.failed, 0)
    return f"{tally.ok:,} {what} done, {tally.failed:,} failed, {left:,} left"


def tell(sentence: str) -> None:
    """A sentence for whoever watches the run on a terminal, among Luigi's own."""
    logging.getLogger("luigi-interface").info(sentence)


def explain(default: Callable[[BaseException], str], exception: BaseException) -> str:
    """What the scheduler page shows of a failure: our own sentence, or Luigi's account of what nobody foresaw."""
    return str(exception) if isinstance(exception, LandfallError) else str(default(exception))
