"""Many requests at a time: an event loop in a thread of its own asks while the caller writes what was answered."""

from __future__ import annotations

import asyncio
import itertools
import queue
import random
import threading
from collections.abc import Generator, Iterable, Sequence
from types import TracebackType
from typing import Self

from spark_jobs.web import client
from spark_jobs.web.attempt import Attempt
from spark_jobs.web.places import Buffer, Places
from spark_jobs.web.policy import WebPolicy
from spark_jobs.web.retry import Answer, Asker, Request

__all__ = ["Answer", "Request", "WebPolicy", "fetch_all"]

# Requests known at once for each that may be under way: those that pause before their next attempt are among them.
_KNOWN = 4


def fetch_all(requests: Iterable[Request], policy: WebPolicy) -> Generator[Answer]:
    """Answers requests, each as it completes; a failed URL is an answer too.

    Requests are taken in the caller's thread, a few (four times ``policy.concurrency``) ahead of the answers. Contents
    count against ``policy.buffer_bytes`` until they are handed over. Closing the generator ends what is under way.
    """
    with _Crew(policy) as crew:
        known, most, more = 0, policy.concurrency * _KNOWN, True
        source = iter(requests)
        while True:
            if more and most - known >= (policy.concurrency + 1) // 2:
                batch = list(itertools.islice(source, most - known))
                more = len(batch) == most - known
                crew.send(batch)
                known += len(batch)
            if not known:
                return
            known -= 1
            yield crew.receive()


class _Crew:
    """The thread with the event loop."""

    def __init__(self, policy: WebPolicy) -> None:
        self._policy = policy
        self._answers: queue.SimpleQueue[Answer | BaseException] = queue.SimpleQueue()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fetch", daemon=True)

    def send(self, requests: Sequence[Request]) -> None:
        self._loop.call_soon_threadsafe(self._begin, requests)

    def receive(self) -> Answer:
        answer = self._answers.get()
        if isinstance(answer, BaseException):
            raise answer
        self._buffer.give(len(answer.content or b""))
        return answer

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if not self._answers.empty():  # it never came so far as to be asked
            self._thread.join()
            self.receive()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._work())
        except BaseException as fault:  # noqa: BLE001 (the caller's thread raises it)
            self._answers.put(fault)
        finally:
            self._ready.set()

    async def _work(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._buffer = Buffer(self._policy.buffer_bytes)
        self._tasks: set[asyncio.Task[None]] = set()
        places = Places(self._policy.concurrency, self._policy.per_host)
        async with client.session(self._policy) as session:
            attempt = Attempt(session, self._policy, places, self._buffer)
            self._asker = Asker(attempt, self._policy, random.Random(self._policy.seed))  # noqa: S311 (jitter)
            self._ready.set()
            await self._over.wait()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, requests: Sequence[Request]) -> None:
        for request in requests:
            task = self._loop.create_task(self._answer(request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: Request) -> None:
        try:
            self._answers.put(await self._asker.ask(request))
        except Exception as fault:  # noqa: BLE001 (a fault of our own: the caller's thread raises it)
            self._answers.put(fault)
