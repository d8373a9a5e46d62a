"""The journal of stage attempts: append-only, so that failures leave a trace as well as successes."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conf.errors import LandfallError
from targets.clock import now
from targets.runlog import append_line

RUN = "run"


@dataclass(frozen=True)
class Journal:
    """One client's journal. An attempt that was killed has a ``started`` and nothing after it."""

    path: Path

    @contextlib.contextmanager
    def attempt(self, **what: str) -> Iterator[dict[str, Any]]:
        """Journals one attempt: started, then finished or failed, with seconds and what the block puts into the dict.

        Args:
            what: run, feed, drop, stage, build.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        began = time.monotonic()
        self._append({"event": "started", **what})
        result: dict[str, Any] = {}
        try:
            yield result
        except BaseException as error:
            how = str(error) if isinstance(error, LandfallError) else f"{type(error).__name__}: {error}"
            kind = type(error).__name__
            self._append({"event": "failed", **what, "seconds": _since(began), "kind": kind, "error": how[:2000]})
            raise
        self._append({"event": "finished", **what, "seconds": _since(began), **result})

    def run_ended(self, run: str, error: Exception | None = None) -> None:
        """Journals how a whole run ended: entries of the stage ``run``.

        Args:
            error: why it failed; None if it did all that there was to do.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        failed = {"event": "failed", "kind": type(error).__name__, "error": str(error)[:2000]}
        self._append({**({"event": "ended"} if error is None else failed), "run": run, "stage": RUN})

    def entries(self, naming: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
        """What was journalled, oldest first; a line that a crash cut short is passed over.

        Args:
            naming: only lines that hold one of these texts, so that the others need not be taken apart; None: all.
        """
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as file:
            for line in file:
                if naming is not None and not any(text in line for text in naming):
                    continue
                with contextlib.suppress(json.JSONDecodeError):
                    yield json.loads(line)

    def _append(self, fields: dict[str, Any]) -> None:
        try:
            append_line(self.path, json.dumps({"time": now().isoformat(), **fields}, default=str), durable=True)
        except OSError as error:
            # A full disk must not hide the fault that the journal is about to tell.
            if fields["event"] != "failed":
                raise LandfallError(f"The journal {self.path} cannot be written: {error.strerror}.") from error


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)
