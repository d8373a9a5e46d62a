"""What Spark throws, in a sentence each, with the line that means something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from conf.errors import DropHeld, LandfallError, StorageError
from spark_jobs.faults import last_meaningful, last_words, translate

PY4J = (
    "An error occurred while calling o123.collectToPython.\n: org.apache.spark.SparkException: {}\n\tat a.b(C.scala:1)"
)


@pytest.mark.parametrize(
    ("thrown", "says"),
    [
        (
            PY4J.format(
                "Job aborted due to stage failure: Task 0 in stage 3.0 failed 4 times, most recent failure: Lost task"
                " 0.3 in stage 3.0 (TID 9) (10.0.0.1 executor 7): ExecutorLostFailure (executor 7 exited caused by one"
                " of the running tasks) Reason: Remote RPC client disassociated"
            ),
            "executors died",
        ),
        (PY4J.format("Python worker exited unexpectedly (crashed)"), "a Python worker died"),
        (PY4J.format("x") + "\nCaused by: java.lang.OutOfMemoryError: Java heap space", "memory did not suffice"),
        ("All masters are unresponsive! Giving up.", "the Spark master does not answer"),
        ("<_MultiThreadedRendezvous: status = StatusCode.UNAVAILABLE details = 'Socket closed'>", "Connect server"),
        ("[INVALID_HANDLE.SESSION_NOT_FOUND] The handle x is invalid.", "Connect server"),
        ("StatusCode.UNAUTHENTICATED", "does not take our token"),
        ("[JAVA_GATEWAY_EXITED] Java gateway process exited before sending its port number.", "Spark did not start"),
        ("Answer from Java side is empty", "Spark's driver died"),
        ("[PYTHON_VERSION_MISMATCH] Python in worker has different version: 3.9", "another Python"),
        (PY4J.format("x") + "\nModuleNotFoundError: No module named 'simplejpeg'", "lacks the library simplejpeg"),
    ],
)
def test_known_faults(thrown: str, says: str) -> None:
    found = translate(RuntimeError(thrown), "fetch of drop 1a2b")
    assert str(found).startswith("The fetch of drop 1a2b failed: ")
    assert says in found.what
    assert found.fix
    assert "\n" not in str(found)


def test_a_fault_of_ours_on_a_worker_is_itself() -> None:
    text = PY4J.format("x") + "\nconf.errors.StorageError: /lake/x is not there. See to the disk.\n\n\tat y"
    found = translate(RuntimeError(text), "store of drop 1a2b")
    assert isinstance(found, StorageError)
    assert found.what == "The store of drop 1a2b failed: /lake/x is not there. See to the disk."
    held = DropHeld("a", "b")
    assert translate(held, "x") is held


def test_a_full_disk() -> None:
    assert "The disk is full" in str(translate(OSError(28, "No space left on device"), "x"))


def test_what_nobody_foresaw_shows_its_innermost_cause() -> None:
    text = PY4J.format("Job aborted") + "\nCaused by: java.lang.Exception: the wheel came off\n\tat w"
    found = translate(RuntimeError(text), "load of drop 1a2b")
    assert type(found) is LandfallError
    assert found.what == "The load of drop 1a2b failed in Spark: the wheel came off"


def test_the_last_line_of_a_python_trace() -> None:
    trace = 'Traceback (most recent call last):\n  File "a.py", line 1, in b\n    c()\nValueError: no such thing\n'
    assert last_meaningful(trace) == "no such thing"
    assert last_meaningful("") == ""


def test_last_words_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "spark.log"
    assert last_words(log) == ""
    old = "26/11/25 04:00:00 ERROR Old: java.lang.Exception: before\n"
    log.write_text(old)
    assert last_words(log, len(old)) == ""
    with log.open("a") as file:
        file.write('26/11/25 04:57:58 INFO SparkContext: Running\nException in thread "main" java.net.BindException:')
        file.write(" Address already in use\n\tat sun.nio.ch.Net.bind0\n")
    assert "Address already in use" in last_words(log, len(old))


@pytest.mark.parametrize(
    ("name", "value", "kind", "says"),
    [
        ("max_temp_directory_size", "1MB", StorageError, "The disk is full"),
        ("temp_directory", "", LandfallError, "memory in a worker did not suffice"),
    ],
    ids=["disk", "memory"],
)
def test_what_duckdb_says_when_it_has_no_room(
    name: str, value: str, kind: type[LandfallError], says: str, tmp_path: Path
) -> None:
    room: dict[str, Any] = {"memory_limit": "16MiB", "threads": 1, "temp_directory": str(tmp_path)}
    with duckdb.connect(":memory:", config=room) as connection, pytest.raises(duckdb.Error) as thrown:
        connection.execute(f"SET {name} = '{value}'")
        connection.execute("CREATE TEMP TABLE wide AS SELECT md5(range::VARCHAR) AS text FROM range(3000000)")
    found = translate(RuntimeError(PY4J.format(f"_duckdb.OutOfMemoryException: {thrown.value}")), "load of drop 1a2b")
    assert type(found) is kind
    assert says in found.what
