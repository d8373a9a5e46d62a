"""Several tables written at once: while the driver plans one, which takes a core, Spark's tasks write another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from spark_jobs.progress import Step

_AT_ONCE = 2


def write_each(writes: Mapping[str, Callable[[], None]], step: Step, done: int, total: int) -> None:
    """Does all of these; they begin in order.

    Args:
        writes: what writes each table, by name.
        step: told which table begins.
        done: steps that were done before.
        total: steps in all.

    Raises:
        What the first of them that failed raised, once those that had begun have ended; no other begins after it.
    """

    def write(number: int, name: str) -> None:
        step(done + number, total, f"writes {name}")
        writes[name]()

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="write") as pool:
        futures: list[Future[None]] = [pool.submit(write, number, name) for number, name in enumerate(writes)]
        wait(futures, return_when=FIRST_EXCEPTION)
        pool.shutdown(cancel_futures=True)
    for future in futures:
        if not future.cancelled():
            future.result()
