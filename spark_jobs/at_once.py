"""Several of Spark's jobs at once: while the driver plans one, which takes a core, Spark's tasks work on another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from spark_jobs.progress import Step

_AT_ONCE = 2


def do_each(works: Mapping[str, Callable[[], object]], step: Step, done: int, total: int) -> None:
    """Does all of these; they begin in order.

    Args:
        works: what does each, by what it does, such as ``writes dim_date``.
        step: told which begins.
        done: steps that were done before.
        total: steps in all.

    Raises:
        What the first of them that failed raised, once those that had begun have ended; no other begins after it.
    """
    failed = threading.Event()

    def do(number: int, what: str) -> None:
        if failed.is_set():
            return
        step(done + number, total, what)
        try:
            works[what]()
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="job") as pool:
        futures = [pool.submit(do, number, what) for number, what in enumerate(works)]
    for future in futures:
        future.result()
