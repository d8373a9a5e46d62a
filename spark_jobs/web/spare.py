"""Something that costs to make, kept for a moment in which somebody may want it again."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """What is kept."""

    def close(self) -> None:
        """Gives it up, in any thread."""


Kept = TypeVar("Kept", bound=Closable)


class Spare(Generic[Kept]):
    """One thing at most, that is closed when nobody has taken it for so many seconds. For any thread."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: tuple[Hashable, Kept, threading.Timer] | None = None

    def take(self, key: Hashable) -> Kept | None:
        """What was left under this key, whose user then leaves it again, or closes it."""
        with self._lock:
            if self._kept is None or self._kept[0] != key:
                return None
            _, kept, timer = self._kept
            self._kept = None
        timer.cancel()
        return kept

    def leave(self, key: Hashable, kept: Kept) -> None:
        """Keeps it for who comes next; what was kept before is closed, and nobody waits for that."""
        timer = threading.Timer(self._seconds, self._close, [kept])
        timer.daemon = True
        with self._lock:
            timer.start()
            before, self._kept = self._kept, (key, kept, timer)
        if before is not None:
            before[2].cancel()
            threading.Thread(target=before[1].close, daemon=True).start()

    def _close(self, late: Kept) -> None:
        with self._lock:
            if self._kept is None or self._kept[1] is not late:
                return
            self._kept = None
        late.close()
