"""The Spark Connect server of this machine: a daemon that stays up between runs, on loopback, behind a token."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from pyspark.find_spark_home import _find_spark_home

from auth.private import held_private, write_private
from conf.errors import ConfigError, LandfallError
from conf.settings import Settings
from spark_jobs.faults import last_words
from spark_jobs.session.connect import LOOPBACK, PORT, address, read_token, token_file
from spark_jobs.session.properties import properties_file, scratch
from spark_jobs.session.reach import refuse_out_of_reach

_CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"
_HOST = "127.0.0.1"
_SECONDS_TO_STOP = 20
_LOG = "spark-connect.log"
_PRIVATE = ("LANDFALL_", "SPARK_CONNECT_", "SPARK_REMOTE", "PYSPARK_")


@dataclass(frozen=True)
class Server:
    """A server that was started here.

    Attributes:
        pid: of its JVM.
        created: when that process began (seconds since 1970): a process id is given again to others.
        master: where its tasks run.
    """

    pid: int
    created: float
    port: int
    master: str

    @property
    def url(self) -> str:
        """What ``spark.remote`` names."""
        return f"sc://{_HOST}:{self.port}"

    def process(self) -> psutil.Process | None:
        """Its process; None if it has ended."""
        with contextlib.suppress(psutil.NoSuchProcess):
            found = psutil.Process(self.pid)
            if found.create_time() == self.created and found.status() != psutil.STATUS_ZOMBIE:
                return found
        return None

    def answers(self) -> bool:
        """Whether it takes connections."""
        return _listens(self.port)


def running(settings: Settings) -> Server | None:
    """The server that runs; None if none does."""
    try:
        known = Server(**json.loads(_state(settings).read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return known if known.process() else None


def start(settings: Settings) -> tuple[Server, bool]:
    """Starts the server, unless it runs.

    Returns:
        The server, and whether it is new.

    Raises:
        ConfigError: ``spark.remote`` names another machine, or executors could not reach lake and image store.
        LandfallError: somebody else has the port, or Spark did not start.
    """
    host, port = address(settings) if settings.spark.remote else (_HOST, PORT)
    if host not in LOOPBACK:
        raise ConfigError(
            f"spark.remote is {settings.spark.remote}, which is another machine. Run `landfall spark start` there; "
            "its server listens on loopback alone, so reach it by a tunnel or a proxy that speaks TLS."
        )
    if not settings.spark.is_local:
        refuse_out_of_reach(settings, settings.spark.master)
    with _alone(settings):
        known = running(settings)
        if known:
            return known, False
        if _listens(port):
            raise LandfallError(
                f"Port {port} of {_HOST} is taken, by another program.", "Name another port in spark.remote."
            )
        return _launch(settings, port, _token(settings)), True


def stop(settings: Settings) -> Server | None:
    """Ends the server and returns it; None if none ran."""
    with _alone(settings):
        known = running(settings)
        process = known.process() if known else None
        if process:
            _end(process)
        _state(settings).unlink(missing_ok=True)
    return known


def _launch(settings: Settings, port: int, token: str) -> Server:
    more = {
        "spark.app.name": "landfall connect",
        "spark.connect.grpc.binding.address": _HOST,
        "spark.connect.grpc.binding.port": str(port),
        # Sessions bring our code to the workers: it is not there yet when Spark starts the process that forks them.
        "spark.python.daemon.module": "pyspark.daemon",
        # What a run that was killed left behind does not keep the server busy for longer.
        "spark.connect.execute.manager.detachedTimeout": "30s",
    }
    settings.log_root.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = settings.log_root / _LOG
    with properties_file(settings, more) as file, log.open("ab") as told:
        log.chmod(0o600)
        began = log.stat().st_size
        process = subprocess.Popen(
            _command(file),
            env=_environment(settings, token),
            cwd=scratch(settings),
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            start_new_session=True,
        )
        try:
            _await(process, port, settings.spark.start_seconds, log, began)
            server = Server(process.pid, psutil.Process(process.pid).create_time(), port, settings.spark.master)
            write_private(_state(settings), json.dumps(asdict(server)).encode())
        except BaseException:
            _end(psutil.Process(process.pid))
            raise
    return server


def _command(properties: Path) -> list[str]:
    submit = [f"{_find_spark_home()}/bin/spark-submit", "--class", _CLASS]
    return [*submit, "--load-spark-defaults", "--properties-file", str(properties), "spark-internal"]


def _token(settings: Settings) -> str:
    """The token that the settings name a file of, or a new one in a file of ours."""
    if settings.spark.remote_token_file:
        return read_token(settings)
    made = secrets.token_urlsafe(32)
    write_private(token_file(settings), f"{made}\n".encode())
    return made


def _environment(settings: Settings, token: str) -> dict[str, str]:
    """The token goes by the environment, which nobody else can read; nothing of who asks goes along."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
    return {
        **kept,
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": token,
        "PYSPARK_PYTHON": settings.spark.python or sys.executable,
        "PYTHONSAFEPATH": "1",  # workers look for no module in the directory that the server was started in
        **({"SPARK_LOCAL_IP": _HOST} if settings.spark.is_local else {}),
    }


def _await(process: subprocess.Popen[bytes], port: int, seconds: float, log: Path, began: int) -> None:
    """Waits until the server takes connections."""
    until = time.monotonic() + seconds
    while not _listens(port):
        ended = process.poll() is not None
        if ended or time.monotonic() > until:
            what = "ended" if ended else f"did not answer within {seconds:.0f} s (spark.start_seconds)"
            said = last_words(log, began)
            raise LandfallError(
                f"The Spark Connect server {what}{f': {said}' if said else '.'}", f"The whole of it is in {log}."
            )
        time.sleep(0.1)


def _end(process: psutil.Process) -> None:
    """Ends a process, and its Python workers with it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        tree = [process, *process.children(recursive=True)]
        process.send_signal(signal.SIGTERM)
        _, left = psutil.wait_procs(tree, timeout=_SECONDS_TO_STOP)
        for one in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(left, timeout=_SECONDS_TO_STOP)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((_HOST, port)) == 0


def _state(settings: Settings) -> Path:
    return scratch(settings) / "connect.json"


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One process at a time starts or stops the server."""
    with held_private(scratch(settings) / "connect.lock"):
        yield
