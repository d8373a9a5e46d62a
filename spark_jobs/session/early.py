"""A session that starts in a thread, while the process does what needs no Spark."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pyspark.sql import SparkSession

_begun: Early | None = None


class Early:
    """One session that starts."""

    def __init__(self, start: Callable[[], SparkSession]) -> None:
        self._start = start
        self._made: SparkSession | None = None
        self._fault: BaseException | None = None
        # A process that ends first does not wait for it: the JVM ends when its parent has.
        self._thread = threading.Thread(target=self._run, name="spark", daemon=True)
        self._thread.start()

    def result(self) -> SparkSession:
        """The session, once it has started; raises what kept it from that."""
        self._thread.join()
        if self._made is None:
            assert self._fault is not None
            raise self._fault
        # Which session is the active one is a matter of each thread.
        self._made._get_j_spark_session_class(self._made._jvm).setActiveSession(self._made._jsparkSession)
        return self._made

    def _run(self) -> None:
        try:
            self._made = self._start()
        except BaseException as error:  # noqa: BLE001  # whoever asks for the session gets it
            self._fault = error


def begin(start: Callable[[], SparkSession]) -> None:
    """Has a session start, unless one has."""
    global _begun
    if _begun is None:
        _begun = Early(start)


def take() -> SparkSession | None:
    """The session that was begun, once; None where none was."""
    global _begun
    begun, _begun = _begun, None
    return begun.result() if begun else None
