"""Limits of a query."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import duckdb
import pytest

from conf.errors import QueryRefused
from landfall.limits import Watch

ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 30000000000) SELECT max(n) FROM t"
HUGE = """
import duckdb
from landfall.limits import hold_memory
hold_memory("100MB")
try:
    duckdb.connect().execute("SELECT repeat('x', 3000000000)").fetchall()
except (MemoryError, duckdb.OutOfMemoryException):
    print("stopped")
"""


def test_a_query_that_does_not_end_is_stopped() -> None:
    with duckdb.connect() as cursor:
        with pytest.raises(QueryRefused, match=r"more than 0.2 seconds. Ask for less"):
            Watch(cursor, 0.2).call(lambda: cursor.execute(ENDLESS).fetchall())
        # It was interrupted, so the cursor is free for the next.
        assert Watch(cursor, None).call(lambda: cursor.execute("SELECT 1").fetchall()) == [(1,)]


def test_an_interrupted_caller_interrupts_the_query() -> None:
    # Nothing can be asked whether DuckDB has begun, so Ctrl-C comes after a while; the query would take for ever.
    # A process that a shell began in the background ignores Ctrl-C, and so do those that it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with duckdb.connect() as cursor:
            main = threading.main_thread().ident or 0
            threading.Timer(0.5, signal.pthread_kill, (main, signal.SIGINT)).start()
            with pytest.raises(KeyboardInterrupt):
                Watch(cursor, None).call(lambda: cursor.execute(ENDLESS).fetchall())
    finally:
        signal.signal(signal.SIGINT, before)


def test_one_huge_value_is_stopped() -> None:
    ran = subprocess.run([sys.executable, "-c", HUGE], capture_output=True, text=True, check=False)
    assert ran.stdout == "stopped\n", ran.stderr
