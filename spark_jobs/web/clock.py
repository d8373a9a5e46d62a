"""Time: that in which we can do something for requests, and how much of it an attempt has spent."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class Clock:
    """Seconds that stand still while the caller is busy: that is not the source's fault.

    Args:
        seconds: a clock that never stands still.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._halted = 0.0
        self._since: float | None = None

    def now(self) -> float:
        return (self._seconds() if self._since is None else self._since) - self._halted

    def halt(self) -> None:
        """Stands still from now on."""
        if self._since is None:
            self._since = self._seconds()

    def go_on(self) -> None:
        if self._since is not None:
            self._halted += self._seconds() - self._since
            self._since = None


class Stopwatch:
    """The time of one attempt. It stands still while the attempt waits for a place or for memory of our own.

    Args:
        clock: that it goes by.
        seconds: that the attempt may take.
    """

    __slots__ = ("_began", "_clock", "_halted", "_seconds", "_since")

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._began = clock.now()
        self._halted = 0.0
        self._since: float | None = None

    @property
    def spent(self) -> float:
        """Seconds since it was made, waiting of our own left out."""
        return (self._clock.now() if self._since is None else self._since) - self._began - self._halted

    @property
    def left(self) -> float:
        """Seconds until the attempt has taken too long; without end while the watch stands still."""
        return self._seconds - self.spent if self._since is None else math.inf

    def halt(self) -> None:
        if self._since is None:
            self._since = self._clock.now()

    def go_on(self) -> None:
        if self._since is not None:
            self._halted += self._clock.now() - self._since
            self._since = None
