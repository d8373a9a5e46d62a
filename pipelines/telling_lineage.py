"""Tells OpenLineage events while a run goes on. A run neither fails nor waits for it: a lost event is a warning."""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.metadata
import json
import os
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import requests

from conf.errors import LandfallError
from conf.private import read_private
from conf.settings import Lineage, Settings
from pipelines.openlineage import Kind, Told, Traffic
from targets.clock import now
from targets.dataset import Dataset
from targets.runlog import RunLog, append_line

_MOST_WAITING = 1000
_MOST_TOKEN_BYTES = 8192
_SECONDS_OF_REST = 30  # that an end point is left alone after it did not answer


@contextlib.contextmanager
def told(
    settings: Settings, client: str, run: str, log: RunLog, traffic: Callable[[], Traffic], dataset: Dataset
) -> Iterator[None]:
    """Tells that the block begins, and how it ends; nothing where no setting says whom to tell.

    Args:
        run: id of the run.
        traffic: what the block reads and writes.
        dataset: what it makes.
    """
    if not (settings.lineage.file or settings.lineage.url):
        yield
        return
    with _never_failing(log):
        producer = f"https://pypi.org/project/landfall/{importlib.metadata.version('landfall')}"
        events = Told(f"landfall://{settings.env}", producer, traffic(), client, run, uuid.uuid4())
        _tell(settings, log, events, "START")
    try:
        yield
    except BaseException as error:
        with _never_failing(log):
            _tell(settings, log, events, "FAIL", error=str(error) or type(error).__name__)
        raise
    with _never_failing(log):
        _tell(settings, log, events, "COMPLETE", manifest=dataset.manifest(), where=dataset.fs.uri(dataset.path))


def flush(settings: Settings) -> None:
    """Waits for the last events, no longer than ``lineage.seconds``; what is left then is lost."""
    if settings.lineage.url and _posting.cache_info().currsize:
        _posting(settings.lineage, os.getpid()).flush()


def _tell(settings: Settings, log: RunLog, events: Told, kind: Kind, **what: Any) -> None:
    line = json.dumps(events.event(kind, now(), **what), ensure_ascii=False)
    if settings.lineage.file:
        with _never_failing(log):
            place = Path(settings.lineage.file)
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            append_line(place, line)
    if settings.lineage.url:
        _posting(settings.lineage, os.getpid()).post(line, log)


@contextlib.contextmanager
def _never_failing(log: RunLog) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001  # whatever it is, the run goes on
        _lost(log, f"{type(error).__name__}: {error}")


def _lost(log: RunLog, why: str) -> None:
    with contextlib.suppress(OSError):
        log.warning("lineage event lost", error=why)


class _Waiting(NamedTuple):
    line: str
    log: RunLog


class _Posting:
    """Posts events one after the other, beside the run, in the order in which they came."""

    def __init__(self, settings: Lineage) -> None:
        self._settings = settings
        self._waiting: queue.Queue[_Waiting] = queue.Queue(_MOST_WAITING)
        # What is neither taken nor lost yet. Whoever takes an event out, under the lock, tells that it is lost.
        self._open: dict[int, _Waiting] = {}
        self._telling = threading.Lock()
        self._rests_until = 0.0
        threading.Thread(target=self._work, name="lineage", daemon=True).start()
        atexit.register(self.flush)

    def post(self, line: str, log: RunLog) -> None:
        waiting = _Waiting(line, log)
        with self._telling:
            self._open[id(waiting)] = waiting
        try:
            self._waiting.put_nowait(waiting)
        except queue.Full:
            self._end(waiting, f"more than {_MOST_WAITING} wait for the end point")

    def flush(self) -> None:
        until = time.monotonic() + self._settings.seconds
        with self._waiting.all_tasks_done:
            while self._waiting.unfinished_tasks:
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._waiting.all_tasks_done.wait(left)
        with self._telling:
            left_over = [*self._open.values()]
        for waiting in left_over:
            self._end(waiting, "the run ended before the end point answered")

    def _work(self) -> None:
        while True:
            waiting = self._waiting.get()
            lost: str | None = None
            try:
                if id(waiting) in self._open:  # else it is told as lost already
                    self._post(waiting.line)
            except Exception as error:  # noqa: BLE001  # the end point may do anything
                lost = f"{type(error).__name__}: {error}"
            self._end(waiting, lost)
            self._waiting.task_done()

    def _end(self, waiting: _Waiting, lost: str | None) -> None:
        with self._telling:
            if self._open.pop(id(waiting), None) is not None and lost is not None:
                _lost(waiting.log, lost)

    def _post(self, line: str) -> None:
        if time.monotonic() < self._rests_until:
            raise _Resting("the end point did not answer a moment ago")
        headers = {"Content-Type": "application/json", **self._authorization()}
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(
                    self._settings.url,
                    data=line.encode(),
                    headers=headers,
                    timeout=self._settings.seconds,
                    allow_redirects=False,
                    stream=True,  # what it answers is of no interest
                )
        except requests.RequestException:
            self._rests_until = time.monotonic() + _SECONDS_OF_REST
            raise
        if not answer.ok or answer.is_redirect:
            raise _Resting(f"the end point answered {answer.status_code}")

    def _authorization(self) -> dict[str, str]:
        if not self._settings.token_file:
            return {}
        token = read_private(Path(self._settings.token_file), _MOST_TOKEN_BYTES).decode("ascii").strip()
        return {"Authorization": f"Bearer {token}"}


class _Resting(LandfallError):
    """The end point takes no events now."""


@functools.cache
def _posting(settings: Lineage, process: int) -> _Posting:  # noqa: ARG001  # a thread does not survive a fork
    return _Posting(settings)
