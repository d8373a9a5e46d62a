"""Several of Spark's jobs at once: while the driver plans one, which takes a core, Spark's tasks work on another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from spark_jobs.progress import Step

_AT_ONCE = 2


def do_each(works: Mapping[str, Callable[[], object]], step: Step, done: int, total: int) -> list[Any]:
    """Does all of these; they begin in order. Returns what each returned.

    Args:
        works: what does each, by what it does, such as ``writes dim_date``.
        step: told which begins.
        done: steps that were done before.
        total: steps in all.

    Raises:
        What the first of them that failed raised, once those that had begun have ended; no other begins after it.
    """
    failed = threading.Event()

    def do(number: int, what: str) -> object:
        if failed.is_set():
            return None
        step(done + number, total, what)
        try:
            return works[what]()
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="job") as pool:
        futures = [pool.submit(do, number, what) for number, what in enumerate(works)]
    return [future.result() for future in futures]
