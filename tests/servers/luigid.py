"""A real luigid on loopback: Luigi's central scheduler."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.servers import free_port
from tests.servers.waiting import until

_BIN = Path(sys.executable).parent


@dataclass
class Luigid:
    """One scheduler, which keeps its port and its state over a stop.

    Attributes:
        root: directory of its state and log.
    """

    root: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it and returns once it answers."""
        self.root.mkdir(parents=True, exist_ok=True)
        command = [str(_BIN / "luigid"), "--address", "127.0.0.1", "--port", str(self.port)]
        with (self.root / "luigid.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--state-path", str(self.root / "state.pickle")], stdout=log, stderr=log, cwd=self.root
            )
        until(self._answers, "luigid to answer", 30)

    def stop(self) -> None:
        """Ends it in good order: it writes its state."""
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def kill(self) -> None:
        """SIGKILL."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def ask(self, method: str, **data: Any) -> Any:
        """What its page asks of it, such as ``task_list`` with a status."""
        answer = requests.get(f"{self.url}/api/{method}", params={"data": json.dumps(data)}, timeout=10)
        answer.raise_for_status()
        return answer.json()["response"]

    def tasks(self, status: str) -> dict[str, dict[str, Any]]:
        """Its tasks of one status (``DONE``, ``FAILED``, ``RUNNING``, ``PENDING``), by name of the task's class."""
        return {task["name"]: task for task in self.ask("task_list", status=status, upstream_status="").values()}

    def _answers(self) -> bool:
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.url}/api/task_list", timeout=2).ok
        return False


@contextlib.contextmanager
def luigid(root: Path) -> Iterator[Luigid]:
    """A scheduler that runs while the block does."""
    server = Luigid(root)
    try:
        server.start()
        yield server
    finally:
        server.kill()
