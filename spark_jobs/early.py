"""Pictures into the image store while the next are made: a thread of the worker waits for the disk in its place.

What does not come so far is left to the Store stage, which looks for every picture.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conf.errors import LandfallError
from spark_jobs.store import Destination
from targets.image_store import takes_early

# Pictures in a transaction, and transactions that may wait: what is held of a worker's pictures at once.
_ROWS = 64
_MOST = 4
_IDLE_SECONDS = 5.0
_LEFT = "pictures are left to the Store stage"


@dataclass(frozen=True)
class Early:
    """Hands a drop's pictures on from workers. Picklable."""

    destination: Destination

    def pass_on(self, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The rows (of IMAGES) as they come; the pictures among them are on their way into the store, too."""
        some: list[dict[str, Any]] = []
        for row in rows:
            if row["rule"] == "ok":
                some.append(row)
            if len(some) == _ROWS:
                _thread(self.destination).offer(some)
                some = []
            yield row
        _thread(self.destination).offer(some)


def begin(destination: Destination) -> Early | None:
    """Makes the image store ready; None where it takes nothing early, or nothing at all: Store says what is wrong."""
    if not takes_early(destination.settings):
        return None
    try:
        destination.open(prepare=True).close()
    except LandfallError as fault:
        destination.log.warning(_LEFT, error=str(fault))
        return None
    return Early(destination)


class _Thread:
    """The thread of a process that stores one drop's pictures; it ends when none come, or when one cannot be stored."""

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self._waiting: queue.Queue[list[dict[str, Any]]] = queue.Queue(_MOST)
        self.failed = False
        self._thread = threading.Thread(target=self._run, name="early", daemon=True)
        self._thread.start()

    @property
    def takes(self) -> bool:
        """Whether it may be given more."""
        return self.failed or self._thread.is_alive()

    def offer(self, rows: list[dict[str, Any]]) -> None:
        """Gives it rows, unless it has enough to do."""
        if rows and not self.failed and not self._waiting.full():
            self._waiting.put_nowait(rows)

    def _run(self) -> None:
        try:
            with self.destination.open() as store:
                while True:
                    store.insert(self.destination.documents(self._waiting.get(timeout=_IDLE_SECONDS)))
        except queue.Empty:
            return
        except Exception as fault:  # noqa: BLE001  # whatever it is, Store meets it too, and says so
            self.failed = True
            self.destination.log.warning(_LEFT, error=str(fault))


_last: _Thread | None = None


def _thread(destination: Destination) -> _Thread:
    """This process's thread for a drop."""
    global _last
    if _last is None or _last.destination != destination or not _last.takes:
        _last = _Thread(destination)
    return _last
