"""Limits that DuckDB does not hold by itself: of time, of one huge value, and that Ctrl-C stops a query."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import duckdb

from conf.errors import QueryRefused

_UNITS = {"K": 1, "M": 2, "G": 3, "T": 4}
# What the process needs besides: libraries, stacks of threads, the rows on their way out.
_BESIDES = 2 << 30
_SECONDS_BETWEEN_INTERRUPTS = 0.1

T = TypeVar("T")


class Watch:
    """Runs the calls of one cursor beside the main thread, which stays free for Ctrl-C and for the time.

    Args:
        cursor: what is interrupted.
        seconds: for all calls together; None: as long as they take.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, seconds: float | None) -> None:
        self._cursor = cursor
        self._seconds = seconds
        self._left = seconds

    def call(self, work: Callable[[], T]) -> T:
        """What the work gives; QueryRefused when time or memory runs out."""
        began = time.monotonic()
        with ThreadPoolExecutor(1) as beside:
            running = beside.submit(work)
            try:
                return running.result(self._left)
            except TimeoutError:
                raise QueryRefused(
                    f"The query took more than {self._seconds:g} seconds.", "Ask for less, or raise query.seconds."
                ) from None
            except MemoryError:
                raise out_of_memory() from None
            finally:
                while not running.done():
                    # One that comes just before DuckDB begins stops nothing.
                    self._cursor.interrupt()
                    wait([running], _SECONDS_BETWEEN_INTERRUPTS)
                if self._left is not None:
                    self._left = max(0.0, self._left - (time.monotonic() - began))


def out_of_memory() -> QueryRefused:
    """What a query is told that asks for too much."""
    return QueryRefused("This needs more memory than a query may use.", "Ask for less, or raise query.memory.")


def hold_memory(text: str) -> None:
    """Limits the data of this process: DuckDB's own limit does not hold for one huge value.

    Args:
        text: the setting ``query.memory``, such as ``1GB`` or ``512MiB``.
    """
    number, unit = text.rstrip("iB")[:-1], text.rstrip("iB")[-1]
    base = 1024 if "i" in text else 1000
    limit = int(number) * base ** _UNITS[unit] + _BESIDES
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
