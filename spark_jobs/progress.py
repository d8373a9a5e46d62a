"""How a job tells how far it is."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

Step = Callable[[int, int, str], None]
"""Told (steps done, steps in all, what comes next)."""


def silent(*_said: object) -> None:
    """For whoever does not want to know, such as a worker."""


@contextlib.contextmanager
def looking(look: Callable[[], None], seconds: float, *, unless: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """While the block runs, a thread looks every so many seconds, until it meets one of these errors."""
    done = threading.Event()

    def repeat() -> None:
        with contextlib.suppress(*unless):
            while not done.wait(seconds):
                look()

    thread = threading.Thread(target=repeat, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
