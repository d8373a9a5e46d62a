"""The process that loads what workers need while the JVM starts, and stands in for Spark's daemon."""

from __future__ import annotations

import functools
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from spark_jobs import ahead as ahead_of
from spark_jobs.ahead import Ahead
from spark_jobs.sockets import directory

_SECRET = "a secret of Spark's"
_SECONDS = 60


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the directories of the processes that are started ahead are made."""
    monkeypatch.setenv("LANDFALL_WORKERS_AHEAD", "")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(ahead_of, "directory", functools.cache(directory.__wrapped__))
    return tmp_path


@pytest.fixture
def ahead(place: Path) -> Iterator[psutil.Process]:
    """A process that was started ahead; it ends with what started it, which the end of this fixture is."""
    with Ahead().process as process:
        yield psutil.Process(process.pid)
        assert process.stdin
        process.stdin.close()


def daemon() -> subprocess.Popen[bytes]:
    """What Spark starts when the first task needs a worker."""
    return subprocess.Popen(
        [sys.executable, "-m", "spark_jobs.daemon", "pyspark.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONSAFEPATH": "1", "PYTHON_WORKER_FACTORY_SECRET": _SECRET},
    )


def fork(daemon: subprocess.Popen[bytes]) -> psutil.Process:
    """A worker, asked for as Spark does."""
    assert daemon.stdout
    port = int.from_bytes(daemon.stdout.read(4))
    with socket.create_connection(("127.0.0.1", port), _SECONDS) as there:
        return psutil.Process(int.from_bytes(there.recv(4)))


def test_workers_are_forked_by_the_process_that_was_started_ahead(ahead: psutil.Process, place: Path) -> None:
    with daemon() as asked:
        assert fork(asked).ppid() == ahead.pid
        assert list(place.glob("*/*")) == []  # nobody else is let in
        assert asked.stdin
        asked.stdin.close()  # Spark ends
        assert asked.wait(_SECONDS) == 0
    assert psutil.wait_procs([ahead], _SECONDS)[0] == [ahead]


@pytest.mark.parametrize("alone", [False, True])
def test_a_module_that_lies_where_a_run_was_started_is_not_taken(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    for name in ("pyarrow", "queue", "spark_jobs"):
        (uploads / f"{name}.py").write_text(f"open('{tmp_path}/was run', 'w')")
    monkeypatch.chdir(uploads)
    with Ahead().process as process:
        assert process.stdin
        if alone:
            process.stdin.close()
            process.wait(_SECONDS)
        with daemon() as asked:
            assert (fork(asked).ppid() == process.pid) is not alone
            assert asked.stdin
            asked.stdin.close()
        process.stdin.close()
    assert not (tmp_path / "was run").exists()


def test_a_daemon_serves_by_itself_when_that_process_is_gone(ahead: psutil.Process) -> None:
    ahead.kill()
    with daemon() as asked:
        assert fork(asked).ppid() == asked.pid
        assert asked.stdin
        asked.stdin.close()


def test_a_second_daemon_serves_by_itself(ahead: psutil.Process) -> None:
    with daemon() as first, daemon() as second:
        assert {fork(first).ppid(), fork(second).ppid()} in ({ahead.pid, first.pid}, {ahead.pid, second.pid})
        for one in (first, second):
            assert one.stdin
            one.stdin.close()


def test_it_ends_with_the_process_that_started_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(place))
    starts = "from spark_jobs.ahead import Ahead; import time; Ahead(); print(flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", starts], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        parent.stdout.readline()
        [process] = psutil.Process(parent.pid).children()
        parent.kill()
    assert psutil.wait_procs([process], _SECONDS)[0] == [process]
    assert list(place.iterdir()) == []  # what the parent would have cleared away


def test_nobody_else_may_connect(ahead: psutil.Process, place: Path) -> None:
    assert ahead.is_running()
    [directory] = place.iterdir()
    assert directory.stat().st_mode & 0o777 == 0o700
