"""Attempts for one request until it is answered, or is known not to be."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import NamedTuple

from conf.rules import RULES
from spark_jobs.web import failure, hops
from spark_jobs.web.attempt import Attempt, Found
from spark_jobs.web.failure import Failure
from spark_jobs.web.places import Stopwatch
from spark_jobs.web.policy import WebPolicy

pause = asyncio.sleep


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


@dataclass(frozen=True)
class Asker:
    """Answers requests, one call each; no call raises for what the web does."""

    attempt: Attempt
    policy: WebPolicy
    chance: random.Random

    async def ask(self, request: Request) -> Answer:
        try:
            place = hops.first(request.url, self.policy)
        except Failure as failed:
            return _failed(request, failed, 0, 0)
        made, spent = 0, 0.0
        while True:
            made += 1
            watch = Stopwatch(self.policy.total_seconds)
            try:
                async with watch:
                    found = await self.attempt.get(place, watch)
            except (Failure, TimeoutError) as fault:
                why = failure.of(fault, place.raw_host or "")
            else:
                return _ok(request, found, made, spent + watch.spent)
            spent += watch.spent
            wait = self._wait(why, made)
            if wait is None:
                return _failed(request, why, made, spent)
            await pause(wait)

    def _wait(self, failed: Failure, made: int) -> float | None:
        """Seconds until the next attempt, with full jitter; none when there is to be no other."""
        longest = self.policy.max_retry_after_seconds
        if not failed.passing or made >= self.policy.attempts or (failed.retry_after or 0) > longest:
            return None
        backoff = min(longest, self.policy.backoff_seconds * 2.0 ** min(made - 1, 30))
        return (failed.retry_after or 0) + self.chance.uniform(0, backoff)


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


def _failed(request: Request, failed: Failure, made: int, spent: float) -> Answer:
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
