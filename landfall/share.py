"""A runner's share of the clients, run one after the other, round after round.

Several runners divide the clients by a hash of the client's id, so none has to know the others. Should two of them have
the same client for a while (their number was changed), leases keep the runs apart.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from auth.gate import authorize
from conf.client import client_ids
from conf.errors import LandfallError
from landfall.processes import end, luigi_command
from pipelines.run_all import share
from targets.faults import faults

_SECONDS_BETWEEN_SIGNS = 1.0


class Round(NamedTuple):
    """How many clients were run, how many of those runs did not end well, and how many may not be run."""

    ran: int
    failed: int
    left_out: int


@dataclass
class Runner:
    """Runs its share of the clients.

    Attributes:
        index, of: which share, of how many.
        scheduler: URL of luigid; empty: each run is its own.
        longest: seconds that one run may take; then it is ended, and the next round goes on where it stopped.
        alive: a file that is touched as long as the runner lives; None: none.
        stop: set when no further run shall begin, and the one under way shall end.
        say: told what happens, in sentences.
    """

    index: int
    of: int
    scheduler: str
    longest: float
    alive: Path | None
    stop: threading.Event
    say: Callable[[str], None]
    _denied: set[str] = field(default_factory=set)

    def round(self) -> Round:
        """Runs every client of the share that the caller may run, each in a process of its own.

        One client's failure touches no other.
        """
        mine = share(client_ids(), self.index, self.of)
        ended: list[bool] = []
        left_out = 0
        for client in mine:
            if self.stop.is_set():
                break
            if self._may_run(client):
                ended.append(self._run(client))
            else:
                left_out += 1
        return Round(len(ended), ended.count(False), left_out)

    def rest(self, until: float) -> None:
        """Sleeps until a time of the monotonic clock, or until it shall stop."""
        while not self.stop.is_set():
            self._sign()
            left = until - time.monotonic()
            if left <= 0:
                return
            self.stop.wait(min(left, _SECONDS_BETWEEN_SIGNS))

    def _may_run(self, client: str) -> bool:
        """Asks the gate. A denial is told once, until it is one no more."""
        self._sign()
        try:
            authorize(client, "run")
        except LandfallError as error:
            if client not in self._denied:
                self.say(f"{client} is left out: {error}")
            self._denied.add(client)
            return False
        self._denied.discard(client)
        return True

    def _run(self, client: str) -> bool:
        began = time.monotonic()
        process = subprocess.Popen(
            luigi_command(client, self.scheduler), stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            code = self._ended(process, began)
        finally:
            end(process)
        if self.stop.is_set():
            self.say(f"{client}: ended, as all of it; the next run goes on where it stopped.")
        elif code is None:
            self.say(f"{client}: ended after {self.longest:g} seconds; the next round goes on where it stopped.")
        elif code:
            self.say(f"{client}: luigi ended with {code}. `landfall status --client {client}` says what is wrong.")
        return code == 0

    def _ended(self, process: subprocess.Popen[bytes], began: float) -> int | None:
        """The run's exit code; None if it takes too long, or all shall stop."""
        while not self.stop.is_set() and time.monotonic() - began < self.longest:
            self._sign()
            try:
                return process.wait(min(_SECONDS_BETWEEN_SIGNS, self.longest))
            except subprocess.TimeoutExpired:
                continue
        return None

    def _sign(self) -> None:
        if self.alive is not None:
            with faults(self.alive):
                self.alive.touch()
                os.utime(self.alive)


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that SIGTERM sets while the block runs. No exception: it would come between a run and its keeper."""
    asked = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # signal's
        asked.set()

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGTERM, before)
