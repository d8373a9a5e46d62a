"""A run that holds still in its stages, so that something can happen in the middle of each."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from targets.journal import Journal
from tests.installation import Installation
from tests.servers.waiting import until

# Luigi as its command runs it, stopping itself once it has begun one of these stages.
_DRIVER = """
import os, signal, sys
from targets.journal import Journal
journalled = Journal._append
def append(journal, fields):
    journalled(journal, fields)
    if fields["event"] == "started" and fields["stage"] in sys.argv[1].split(","):
        os.kill(os.getpid(), signal.SIGSTOP)
Journal._append = append
from luigi.cmdline import luigi_run
luigi_run(sys.argv[3:])
"""


@dataclass
class Held:
    """A run that stops at the beginning of each of some stages until it is told to go on."""

    installation: Installation
    process: subprocess.Popen[bytes]
    output: Path
    stages: Collection[str]
    told: int  # of these stages, those that the journal says were begun before the run, or that it was asked for

    def stage(self) -> str:
        """Awaits that the run stops or ends; a stage that it has begun, or nothing if it has ended.

        Two that begin at once may stop it once or twice: each is told while it holds still, or not at all.
        """
        until(self._is_met, "the run stops", 280)
        if self.process.poll() is not None:
            return ""
        self.told += 1
        return self._begun()[self.told - 1]

    def _begun(self) -> list[str]:
        return [stage for stage in events(self.installation, "started") if stage in self.stages]

    def _is_met(self) -> bool:
        if self.process.poll() is not None:
            return True
        if not self._is_still():
            return False
        if len(self._begun()) > self.told:
            return True
        self.go_on()
        return False

    def _is_still(self) -> bool:
        return bool(psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> tuple[int, str]:
        """Awaits the end; the exit code and what the run said. It stops no more for stages beside the one it was in."""
        until(self._has_ended, "the run ends", 280)
        return self.process.wait(), self.output.read_text()

    def _has_ended(self) -> bool:
        if self.process.poll() is None and self._is_still():
            self.go_on()
        return self.process.poll() is not None


@contextmanager
def held(installation: Installation, stages: Collection[str]) -> Iterator[Held]:
    """Runs the client, which stops in each of these stages."""
    said = installation.root / "said"
    before = sum(stage in stages for stage in events(installation, "started"))
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _DRIVER, ",".join(stages), *installation.luigi_command()],
            env=installation.environment(),
            cwd=installation.root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Held(installation, process, said, tuple(stages), before)
    finally:
        process.kill()
        process.wait()


def events(installation: Installation, event: str) -> list[str]:
    """The stages that the journal tells this of, in order."""
    journal = Journal(installation.home / "logs" / installation.client / "journal.jsonl")
    return [entry["stage"] for entry in journal.entries() if entry["event"] == event]
