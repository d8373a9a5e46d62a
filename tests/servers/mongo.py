"""A server of MongoDB's wire protocol: FerretDB 1.24.2 over SQLite (ferretdb/main.go), built once.

It is no mongod: it knows users and TLS, but no roles, replica sets, transactions or write concerns. What is tested with
it is kept within what both do (docs/mongodb.md).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.servers import free_port, missing

_SOURCES = Path(__file__).parent / "ferretdb"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "landfall-tests"
_SECONDS_TO_START = 90
ROOT, ROOT_PASSWORD = "root", "root's own"


@dataclass(frozen=True)
class Certificate:
    """What a server shows, and the authority that vouches for it: PEM files."""

    chain: Path
    key: Path
    authority: Path


class MongoServer:
    """One server; may be killed and started again on the same port with the same data.

    Args:
        directory: takes the data and the log.
        certificate: speak TLS only.
        users: let nobody in without a user and password; ``add_user`` makes one.
    """

    def __init__(self, directory: Path, certificate: Certificate | None = None, users: bool = False) -> None:
        self.port = free_port()
        self.certificate = certificate
        self.users = users
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mongodb://{'localhost' if self.certificate else '127.0.0.1'}:{self.port}"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        data = self._directory / "data"
        data.mkdir(parents=True, exist_ok=True)
        command = [str(binary()), "-listen", f"127.0.0.1:{self.port}", "-data", f"{data}/"]
        if self.certificate:
            command += ["-cert", str(self.certificate.chain), "-key", str(self.certificate.key)]
        if self.users:
            command += ["-root", ROOT]
        with (self._directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env={**os.environ, "ROOT_PASSWORD": ROOT_PASSWORD}, stdout=log, stderr=log
            )
        self._wait()

    def stop(self) -> None:
        """Ends it in good order, or by force where it was stopped already."""
        self._end(kill=False)

    def kill(self) -> None:
        """SIGKILL."""
        self._end(kill=True)

    @contextlib.contextmanager
    def client(self) -> Iterator[MongoClient[dict[str, Any]]]:
        """A client that may do everything."""
        options: dict[str, Any] = {"serverSelectionTimeoutMS": 20_000, "directConnection": True}
        if self.certificate:
            options |= {"tls": True, "tlsCAFile": str(self.certificate.authority)}
        if self.users:
            options |= {"username": ROOT, "password": ROOT_PASSWORD, "authSource": "admin"}
        with MongoClient(self.url, **options) as client:
            yield client

    def add_user(self, database: str, user: str, password: str) -> None:
        with self.client() as client:
            client[database].command("createUser", user, pwd=password, roles=[])

    def _wait(self) -> None:
        assert self._process
        until = time.monotonic() + _SECONDS_TO_START
        with self.client() as client:
            while True:
                try:
                    client.admin.command("ping")
                except PyMongoError:
                    if self._process.poll() is not None or time.monotonic() > until:
                        log = (self._directory / "server.log").read_text()[-2000:]
                        raise RuntimeError(f"FerretDB did not start:\n{log}") from None
                else:
                    return

    def _end(self, kill: bool) -> None:
        if self._process is None:
            return
        if kill:
            self._process.kill()
        else:
            self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


@contextlib.contextmanager
def mongo_server(directory: Path, certificate: Certificate | None = None, users: bool = False) -> Iterator[MongoServer]:
    """A server that runs while the block does."""
    server = MongoServer(directory, certificate, users)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def binary() -> Path:
    """The server's program; built where it is missing (some minutes, once for a version of its sources)."""
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(_SOURCES.iterdir()))).hexdigest()[:16]
    built = _CACHE / f"ferretdb-{digest}"
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "ferretdb.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            _build(built)
    return built


def _build(goal: Path) -> None:
    go = shutil.which("go", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/go/bin")))
    if go is None:
        missing("A MongoDB server for the tests", "Install Go 1.24 or later: the tests build FerretDB with it.")
    part = goal.with_suffix(".part")
    command = [go, "build", "-trimpath", "-ldflags=-s", "-o", str(part), "."]
    done = subprocess.run(command, cwd=_SOURCES, capture_output=True, text=True, check=False)
    if done.returncode:
        missing("A MongoDB server for the tests", f"FerretDB could not be built: {done.stderr[-1000:]}")
    part.replace(goal)
