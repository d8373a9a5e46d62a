"""Whole processes, timed: seconds by the clock, CPU seconds of the machine meanwhile, and medians."""

from __future__ import annotations

import ctypes
import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_PR_SET_CHILD_SUBREAPER = 36


@dataclass
class Timed:
    """Runs of one command.

    Attributes:
        name: of the contender.
        seconds: by the clock, a run each.
        cpu: seconds that the machine's cores worked meanwhile, a run each; nothing else should be asked of it.
    """

    name: str
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def median_cpu(self) -> float:
        return statistics.median(self.cpu)


def run(timed: Timed, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
    """Runs the command once; SystemExit with the end of its output if it fails."""
    # Whose parent goes before them (Spark's JVM) come to us, so that their end is part of the run.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    others = {child.pid for child in psutil.Process().children()}
    before, began = _cpu(), time.monotonic()
    with log.open("wb") as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            check=False,
        )
    timed.seconds.append(time.monotonic() - began)
    # Spark's Python workers come only once the process that forked them has ended.
    while left := [child.pid for child in psutil.Process().children() if child.pid not in others]:
        for pid in left:
            os.waitpid(pid, 0)
    timed.cpu.append(_cpu() - before)
    if done.returncode:
        raise SystemExit(f"{timed.name} ended with {done.returncode}:\n{log.read_text(errors='replace')[-3000:]}")


def drop_caches() -> None:
    """Has what the last run wrote reach the disk before the next begins."""
    os.sync()


def _cpu() -> float:
    """Of the machine: Spark's daemon has its workers reaped unseen, so no process can tell of all of a tree."""
    used = psutil.cpu_times()
    return float(used.user + used.nice + used.system + used.irq + used.softirq)
