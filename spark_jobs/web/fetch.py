"""Many requests at a time: each is begun, waited for, and ended in time, while the caller waits for an answer."""

from __future__ import annotations

import heapq
import itertools
import math
import random
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator

from spark_jobs.web import hops, retry
from spark_jobs.web.attempt import Found
from spark_jobs.web.client import Client
from spark_jobs.web.clock import Clock
from spark_jobs.web.failure import Failure
from spark_jobs.web.places import Buffer, Places
from spark_jobs.web.policy import WebPolicy
from spark_jobs.web.retry import Answer, Asked, Request
from spark_jobs.web.spare import Spare
from spark_jobs.web.transfer import Transfer

__all__ = ["Answer", "Request", "WebPolicy", "fetch_all"]

# Requests known at once for each that may be under way: those that pause before their next attempt are among them.
_KNOWN = 4
# Longer than a worker takes for pictures of one shard before it fetches the next.
_SPARE_SECONDS = 5
# Names that connections are kept with, at most: neither we nor libcurl forget any.
_SPARE_NAMES = 1024


def fetch_all(requests: Iterable[Request], policy: WebPolicy, *, keep: bool = False) -> Generator[Answer]:
    """Answers requests, each as it completes; a failed URL is an answer too.

    Requests are taken a few (four times ``policy.concurrency``) ahead of the answers. Contents count against
    ``policy.buffer_bytes`` until they are handed over. Nothing is read while the caller is busy between two answers,
    and none of that time is any request's. Closing the generator ends what is under way.

    Args:
        keep: connections are kept for some seconds, for who asks under the same policy next, in this process.
    """
    crew = (_SPARE.take(policy) if keep else None) or _Crew(policy)
    done = False
    try:
        yield from _answers(crew, requests, policy.concurrency)
        done = True
    finally:
        if keep and done and crew.knows <= _SPARE_NAMES:
            _SPARE.leave(policy, crew)
        else:
            crew.close()


def _answers(crew: _Crew, requests: Iterable[Request], concurrency: int) -> Iterator[Answer]:
    known, most, more = 0, concurrency * _KNOWN, True
    source = iter(requests)
    while True:
        if more and most - known >= (concurrency + 1) // 2:
            batch = list(itertools.islice(source, most - known))
            more = len(batch) == most - known
            crew.take(batch)
            known += len(batch)
        if not known:
            return
        known -= 1
        yield crew.give()


class _Crew:
    """All that is under way."""

    def __init__(self, policy: WebPolicy) -> None:
        self._policy = policy
        self._chance = random.Random(policy.seed)  # noqa: S311 (jitter)
        self._clock = Clock()
        self._places: Places[Asked] = Places(policy.concurrency, policy.per_host)
        self._buffer: Buffer[Transfer] = Buffer(policy.buffer_bytes)
        self._client = Client(policy, self._buffer)
        self._under_way: dict[Transfer, Asked] = {}
        self._look = math.inf  # on our clock: nobody runs out of time earlier
        self._pausing: list[tuple[float, int, Asked]] = []
        self._pauses = itertools.count()
        self._answers: deque[Answer] = deque()

    def take(self, requests: Iterable[Request]) -> None:
        """Takes requests on."""
        for request in requests:
            try:
                asked = Asked(request, hops.first(request.url, self._policy))
            except Failure as failed:
                self._answers.append(retry.refused(request, failed))
            else:
                self._come(asked)

    def give(self) -> Answer:
        """Waits for an answer and hands it over: its content is the caller's."""
        self._clock.go_on()
        while True:
            self._begin()
            if self._answers:
                break
            for transfer in self._client.wait(self._patience()):
                self._conclude(transfer)
            self._end_overdue()
        answer = self._answers.popleft()
        self._buffer.give(len(answer.content or b""))
        self._clock.halt()
        return answer

    @property
    def knows(self) -> int:
        """How many names it has met."""
        return self._client.knows

    def close(self) -> None:
        """Ends what is under way."""
        self._client.close()

    def _come(self, asked: Asked) -> None:
        self._places.come(asked.first.raw_host or "", asked)

    def _begin(self) -> None:
        """Has everybody begin or go on who can by now."""
        while self._pausing and self._pausing[0][0] <= time.monotonic():
            self._come(heapq.heappop(self._pausing)[-1])
        while self._buffer.admitted:
            transfer = self._buffer.admitted.popleft()
            transfer.go_on()
            self._look = min(self._look, self._clock.now() + transfer.watch.left)
        while self._places.admitted:
            self._ask(self._places.admitted.popleft())
        self._client.send()

    def _ask(self, asked: Asked) -> None:
        attempt = asked.attempt or asked.begin(self._clock, self._policy.total_seconds)
        attempt.watch.go_on()
        transfer = self._client.begin(attempt.place, attempt.watch)
        self._under_way[transfer] = asked
        self._look = min(self._look, self._clock.now() + min(attempt.watch.left, self._policy.connect_seconds))

    def _left(self, transfer: Transfer) -> float:
        """Seconds until a transfer has run out of time: its attempt's, or that for its connection."""
        began = transfer.connects_since()
        if began is None:
            return transfer.watch.left
        return min(transfer.watch.left, began + self._policy.connect_seconds - transfer.watch.spent)

    def _patience(self) -> float:
        """Seconds until something is to be done although nothing has happened."""
        pause = self._pausing[0][0] - time.monotonic() if self._pausing else math.inf
        return min(pause, self._look - self._clock.now())

    def _end_overdue(self) -> None:
        now = self._clock.now()
        if now < self._look:
            return
        for transfer in [late for late in self._under_way if self._left(late) <= 0]:
            transfer.settle(TimeoutError())
        # Who begins to connect later, because of a look-up, is not among those that were looked at.
        self._look = (
            now + min(self._policy.connect_seconds, *map(self._left, self._under_way)) if self._under_way else math.inf
        )

    def _conclude(self, transfer: Transfer) -> None:
        """Sees to what became of a settled transfer."""
        asked = self._under_way.pop(transfer)
        attempt = asked.attempt
        assert attempt is not None
        if transfer.met_a_closed_connection():
            self._leave(transfer, 0)
            self._ask(asked)
            return
        host, kept = transfer.host, 0
        try:
            found = attempt.understand(transfer, self._policy)
            if isinstance(found, Found):
                kept = len(found.body)
        except Failure as failed:
            self._places.leave(host)
            self._fail(asked, failed)
        else:
            if isinstance(found, Found):
                self._places.leave(host)
                asked.end()
                self._answers.append(asked.answer(found))
            else:
                attempt.watch.halt()
                self._places.move(host, attempt.host, asked)
        finally:
            self._leave(transfer, kept)

    def _fail(self, asked: Asked, failed: Failure) -> None:
        """Has a request pause before its next attempt, or answers it."""
        asked.end()
        wait = asked.wait(failed, self._policy, self._chance)
        if wait is None:
            self._answers.append(asked.answer(failed))
        else:
            heapq.heappush(self._pausing, (retry.pause(wait), next(self._pauses), asked))

    def _leave(self, transfer: Transfer, kept: int) -> None:
        """Ends a transfer and gives back its bytes, but for those of the answer."""
        if transfer.waits:
            self._buffer.forget(transfer.held, transfer)
        elif transfer.held or kept:
            self._buffer.give(transfer.held - kept)
        self._client.end(transfer)


_SPARE: Spare[_Crew] = Spare(_SPARE_SECONDS)
