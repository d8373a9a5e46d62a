"""Several tables written at once: while the driver plans one, which takes a core, Spark's tasks write another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from spark_jobs.progress import Step

_AT_ONCE = 2


def write_each(writes: Mapping[str, Callable[[], object]], step: Step, done: int, total: int) -> None:
    """Does all of these; they begin in order.

    Args:
        writes: what writes each table, by name.
        step: told which table begins.
        done: steps that were done before.
        total: steps in all.

    Raises:
        What the first of them that failed raised, once those that had begun have ended; no other begins after it.
    """
    failed = threading.Event()

    def write(number: int, name: str) -> None:
        if failed.is_set():
            return
        step(done + number, total, f"writes {name}")
        try:
            writes[name]()
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="write") as pool:
        futures = [pool.submit(write, number, name) for number, name in enumerate(writes)]
    for future in futures:
        future.result()
