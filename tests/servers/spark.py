"""A real Spark standalone cluster from the pyspark package: a master and two workers, each a JVM of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from pyspark.find_spark_home import _find_spark_home

from tests.servers import free_port, missing
from tests.servers.waiting import until

_HOST = "127.0.0.1"
_WORKERS = 2
_DAEMON_HEAP = "192m"
_EXECUTOR = "CoarseGrainedExecutorBackend"


@dataclass
class Standalone:
    """A cluster that runs.

    Attributes:
        url: what ``spark.master`` names.
        workers: the workers' processes.
    """

    directory: Path
    url: str
    web: int
    master: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """The variables that have an installation use it: executors are of this machine, and see its directories."""
        return {
            "LANDFALL_SPARK__MASTER": self.url,
            "LANDFALL_SPARK__SHARED_STORAGE": "true",
            "LANDFALL_SPARK__PYTHON": str(foreign_python(self.directory)),
            "LANDFALL_SPARK__DRIVER_HOST": _HOST,
            "LANDFALL_SPARK__EXECUTOR_CORES": "1",
            "LANDFALL_SPARK__EXECUTOR_MEMORY": "512m",
            "LANDFALL_SPARK__CONF": json.dumps(
                {
                    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
                    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
                }
            ),
        }

    def alive(self) -> int:
        """How many workers the master knows to live."""
        return sum(worker["state"] == "ALIVE" for worker in self._state()["workers"])

    def executors(self) -> list[psutil.Process]:
        """The executors that run now."""
        found = []
        for worker in self.workers:
            if worker.poll() is None:
                children = psutil.Process(worker.pid).children(recursive=True)
                found += [child for child in children if any(_EXECUTOR in word for word in _words(child))]
        return found

    def add_worker(self) -> None:
        number = len(self.workers)
        place = self.directory / f"worker-{number}"
        arguments = ["--cores", "1", "--memory", "900m", "--host", _HOST, "--webui-port", "0", "--work-dir", str(place)]
        self.workers.append(_java(self.directory, f"worker-{number}", "worker.Worker", *arguments, self.url))

    def stop(self) -> None:
        for process in (*self.workers, self.master):
            _kill_tree(process)

    def _state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://{_HOST}:{self.web}/json/", timeout=10) as answer:
            state: dict[str, Any] = json.load(answer)
        return state


@contextmanager
def standalone(directory: Path) -> Iterator[Standalone]:
    """Starts a master and two workers of one core each."""
    port, web = free_port(), free_port()
    master = _java(directory, "master", "master.Master", "--host", _HOST, "--port", str(port), "--webui-port", str(web))
    cluster = Standalone(directory, f"spark://{_HOST}:{port}", web, master)
    with ExitStack() as stack:
        stack.callback(cluster.stop)
        until(lambda: _listens(web), "Spark's master answers")
        for _ in range(_WORKERS):
            cluster.add_worker()
        until(lambda: cluster.alive() == _WORKERS, "Spark's workers are with their master")
        yield cluster


def foreign_python(directory: Path) -> Path:
    """A Python that has our libraries and not our code, as that of a machine where Landfall is not installed."""
    script = directory / "python"
    libraries = sysconfig.get_path("purelib")
    # Without site, nothing below the libraries points back to this checkout.
    script.write_text(f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH:{libraries}" exec "{sys.executable}" -S "$@"\n')
    script.chmod(0o755)
    return script


def _java(directory: Path, name: str, kind: str, *arguments: str) -> subprocess.Popen[bytes]:
    home = Path(_find_spark_home())
    if not (home / "bin/spark-class").exists():
        missing("Spark", "It comes with pyspark: make test installs it.")
    # Neither our code nor who asks: executors get the one shipped and need no other.
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("LANDFALL_", "PYTHONPATH", "PYSPARK_", "SPARK_"))}
    with (directory / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [str(home / "bin/spark-class"), f"org.apache.spark.deploy.{kind}", *arguments],
            env={
                **kept,
                "SPARK_LOCAL_IP": _HOST,
                "SPARK_DAEMON_MEMORY": _DAEMON_HEAP,
                "PYSPARK_PYTHON": sys.executable,
            },
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _listens(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://{_HOST}:{port}/json/", timeout=5).close()
    except OSError:
        return False
    return True


def _words(process: psutil.Process) -> list[str]:
    try:
        words: list[str] = process.cmdline()
    except psutil.NoSuchProcess:
        return []
    return words


def _kill_tree(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        tree = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for child in tree:
            try:
                child.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(tree, timeout=20)
    process.wait()
