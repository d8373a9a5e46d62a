"""A real luigid on loopback: Luigi's central scheduler, with the configuration that operators are told to give it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.installation import BIN
from tests.servers import free_port
from tests.servers.waiting import until

_CONFIG = Path(__file__).parents[2] / "conf/luigi.cfg"


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
        command = [str(BIN / "luigid"), "--address", "127.0.0.1", "--port", str(self.port)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LANDFALL_", "LUIGI_"))}
        with (self.root / "luigid.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--state-path", str(self.root / "state.pickle")],
                env={**kept, "LUIGI_CONFIG_PATH": str(_CONFIG)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.root,
                start_new_session=True,
            )
        until(self._answers, "luigid answers")

    def stop(self) -> None:
        """Ends it in good order: it writes its state."""
        if self.process:
            self.process.terminate()
            self.process.wait(60)
            self.process = None

    def kill(self) -> None:
        """SIGKILL: what it knows is lost."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def ask(self, method: str, **data: Any) -> Any:
        """What its page asks of it, such as ``task_list`` with a status."""
        answer = requests.get(f"{self.url}/api/{method}", params={"data": json.dumps(data)}, timeout=10)
        answer.raise_for_status()
        return answer.json()["response"]

    def tasks(self, status: str = "") -> dict[str, dict[str, Any]]:
        """Its tasks of one status (``DONE``, ``FAILED``; "": any) by the name of the task's class, each with its id."""
        found = self.ask("task_list", status=status, upstream_status="")
        return {task["name"]: {**task, "id": key} for key, task in found.items()}

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
