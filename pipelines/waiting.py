"""Waiting for a lease that another run holds."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from pipelines.context import Context
from targets.filesystem import Lease, LeaseHeld

_SECONDS_BETWEEN_TRIES = 0.5


@contextlib.contextmanager
def wait_for_lease(places: Context, path: str, say: Callable[[str], None]) -> Iterator[Lease]:
    """Holds a lease while the block runs, after waiting for whoever holds it now.

    Args:
        say: told once, in a sentence, if there is somebody to wait for.
    """
    with contextlib.ExitStack() as held:
        told = False
        while True:
            try:
                lease = held.enter_context(places.fs.lease(path, places.holder()))
                break
            except LeaseHeld as other:
                if not told:
                    say(f"waits for another run: {other.holder}")
                told = True
                time.sleep(_SECONDS_BETWEEN_TRIES)
        yield lease
