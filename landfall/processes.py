"""Runs of a client in a process of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

_SECONDS_TO_END = 10


def luigi_command(client: str, scheduler: str = "") -> list[str]:
    """The command line of one run of a client.

    Args:
        scheduler: URL of a luigid; empty: the run is its own scheduler.
    """
    # -P: the working directory may hold a conf/ to edit, which is not the package of that name.
    luigi = [sys.executable, "-P", "-m", "luigi", "--module", "pipelines", "RunClient", "--client", client]
    return [*luigi, *(["--scheduler-url", scheduler] if scheduler else ["--local-scheduler"])]


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a run that leads a group of its own, with Spark's JVM, which does not die with a parent that goes while it
    starts. A run that has ended already is left alone.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_SECONDS_TO_END)
