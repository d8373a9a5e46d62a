"""Real servers, started by the tests: each on free ports, in a temporary directory, stopped at the end."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

_PREPARE = Path(__file__).parents[2] / "docker" / "prepare-servers.sh"
_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))


def missing(what: str, how: str) -> NoReturn:
    """Skips the test, for a server cannot be had here; fails it where REQUIRE_SERVERS=1 (CI).

    Args:
        what: the server.
        how: how to get it, as a sentence.
    """
    told = f"{what} is missing. {how}"
    if os.environ.get("REQUIRE_SERVERS") == "1":
        pytest.fail(told, pytrace=False)
    pytest.skip(told)


def program(name: str) -> str:
    """Path of a server's program; installed if it is missing and may be (docker/prepare-servers.sh)."""
    found = shutil.which(name, path=_PATH)
    if found is None:
        _prepare()
        found = shutil.which(name, path=_PATH)
    return found or missing(name, f"Run {_PREPARE} as root on Debian or Ubuntu. {_prepare()}".strip())


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has just now, and that the system gives to nobody who asks for any.

    Ports below 32768 are not given to those who connect (ip_local_port_range), so it is still free when its server
    starts, and when it starts anew after a kill.
    """
    chance = random.SystemRandom()
    for port in (chance.randrange(10_000, 32_000) for _ in range(1000)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port of 127.0.0.1 is free")


@contextlib.contextmanager
def alone(what: str) -> Iterator[None]:
    """Keeps all other tests of this machine, which other processes may run, from doing the same meanwhile."""
    with (Path(tempfile.gettempdir()) / f"landfall-tests-{os.geteuid()}-{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@functools.cache
def _prepare() -> str:
    """Installs what is missing; what the script said if it could not."""
    with alone("packages"):
        done = subprocess.run([str(_PREPARE)], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr.strip()
