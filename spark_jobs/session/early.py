"""A session that starts in a thread, while the process does what needs no Spark."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from pyspark.sql import SparkSession

_begun: Early | None = None


class Early:
    """One session that starts."""

    def __init__(self, start: Callable[[], SparkSession], then: Callable[[SparkSession], None]) -> None:
        self._start, self._then = start, then
        self._made: Future[SparkSession] = Future()
        # A process that ends first does not wait for it: the JVM ends when its parent has.
        threading.Thread(target=self._run, name="spark", daemon=True).start()

    def result(self) -> SparkSession:
        """The session, once it has started; raises what kept it from that."""
        made = self._made.result()
        # Which session is the active one is a matter of each thread.
        made._get_j_spark_session_class(made._jvm).setActiveSession(made._jsparkSession)
        return made

    def _run(self) -> None:
        try:
            made = self._start()
        except BaseException as error:  # noqa: BLE001  # whoever asks for the session gets it
            self._made.set_exception(error)
        else:
            self._made.set_result(made)
            self._then(made)


def begin(start: Callable[[], SparkSession], then: Callable[[SparkSession], None] = lambda _: None) -> None:
    """Has a session start, unless one has; ``then`` gets it beside whoever takes it."""
    global _begun
    if _begun is None:
        _begun = Early(start, then)


def take() -> SparkSession | None:
    """The session that was begun, once; None where none was."""
    global _begun
    begun, _begun = _begun, None
    return begun.result() if begun else None
