"""Attempts for one request until it is answered, or is known not to be."""

from __future__ import annotations

import random
import time
from typing import NamedTuple

from yarl import URL

from conf.rules import RULES
from spark_jobs.web.attempt import Attempt, Found
from spark_jobs.web.clock import Clock, Stopwatch
from spark_jobs.web.failure import Failure
from spark_jobs.web.policy import WebPolicy


def pause(seconds: float) -> float:
    """When a pause that begins now will be over, as time.monotonic counts."""
    return time.monotonic() + seconds


class Request(NamedTuple):
    """A line's request for a picture, as in schemas.REQUESTS."""

    entry: int
    line: int
    url: str
    width: int | None
    height: int | None


class Answer(NamedTuple):
    """What became of a request.

    Attributes:
        rule: ``ok``, or the code of the failure in conf.rules.
        value: what the failure is about.
        message: a sentence.
        passing: the failure may pass.
        status: of the last answer that there was.
        attempts: how many were made; 0 when the URL may not be asked at all.
        milliseconds: time of all attempts; pauses between them and waiting for a place are left out.
        final_url: where the content came from.
        content_type: what the source calls it.
        content: the bytes, when the rule is ok.
    """

    request: Request
    rule: str
    value: str | None
    message: str
    passing: bool
    status: int | None
    attempts: int
    milliseconds: int
    final_url: str | None
    content_type: str | None
    content: bytes | None


class Asked:
    """A request and what was done about it so far.

    Args:
        request: the caller's.
        first: the URL that each attempt begins with.

    Attributes:
        attempt: the one under way, None before the first and during a pause.
    """

    __slots__ = ("_made", "_spent", "attempt", "first", "request")

    def __init__(self, request: Request, first: URL) -> None:
        self.request = request
        self.first = first
        self.attempt: Attempt | None = None
        self._made, self._spent = 0, 0.0

    def begin(self, clock: Clock, seconds: float) -> Attempt:
        """Begins an attempt, which may take so long."""
        self._made += 1
        self.attempt = Attempt(self.first, Stopwatch(clock, seconds))
        return self.attempt

    def end(self) -> None:
        """Ends the attempt."""
        if self.attempt is not None:
            self._spent += self.attempt.watch.spent
            self.attempt = None

    def wait(self, failed: Failure, policy: WebPolicy, chance: random.Random) -> float | None:
        """Seconds until the next attempt, with full jitter; none when there is to be no other."""
        longest = policy.max_retry_after_seconds
        if not failed.passing or self._made >= policy.attempts or (failed.retry_after or 0) > longest:
            return None
        backoff = min(longest, policy.backoff_seconds * 2.0 ** min(self._made - 1, 30))
        return (failed.retry_after or 0) + chance.uniform(0, backoff)

    def answer(self, found: Found | Failure) -> Answer:
        """What is said of the request when the last attempt has ended."""
        if isinstance(found, Failure):
            return refused(self.request, found, self._made, self._spent)
        return _ok(self.request, found, self._made, self._spent)


def _ok(request: Request, found: Found, made: int, spent: float) -> Answer:
    return Answer(
        request,
        rule="ok",
        value=None,
        message=RULES["ok"].message,
        passing=False,
        status=found.status,
        attempts=made,
        milliseconds=round(spent * 1000),
        final_url=found.final_url,
        content_type=found.content_type,
        content=found.body,
    )


def refused(request: Request, failed: Failure, made: int = 0, spent: float = 0.0) -> Answer:
    """The answer to a request that failed, after so many attempts and seconds."""
    return Answer(
        request,
        rule=failed.rule,
        value=failed.value,
        message=failed.message(made),
        passing=failed.passing,
        status=failed.status,
        attempts=made,
        milliseconds=round(spent * 1000),
        final_url=None,
        content_type=None,
        content=None,
    )
