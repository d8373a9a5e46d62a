"""One attempt: a GET, the redirects that it meets, and the body at the end of them."""

from __future__ import annotations

import email.utils
import time
from typing import NamedTuple

from yarl import URL

from spark_jobs.web import failure
from spark_jobs.web.clock import Stopwatch
from spark_jobs.web.failure import Failure
from spark_jobs.web.hops import onward
from spark_jobs.web.policy import WebPolicy
from spark_jobs.web.transfer import Transfer

_REDIRECT = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({429, 500, 502, 503, 504})


class Found(NamedTuple):
    """What an attempt brought. ``body`` stays counted in the buffer until it is given back."""

    status: int
    final_url: str
    content_type: str
    body: bytes


class Attempt:
    """Where an attempt is, has been, and how much time it has spent.

    Attributes:
        place: the URL that is asked now.
        watch: the attempt's time.
    """

    __slots__ = ("_seen", "place", "watch")

    def __init__(self, place: URL, watch: Stopwatch) -> None:
        self.place = place
        self.watch = watch
        self._seen: set[URL] = set()

    @property
    def host(self) -> str:
        return self.place.raw_host or ""

    def understand(self, transfer: Transfer, policy: WebPolicy) -> Found | URL:
        """What a settled transfer gives: the picture, or where it sends on to; Failure when neither."""
        try:
            return self._understand(transfer, policy)
        except Exception as fault:  # whatever a hostile answer makes a library raise is a failed URL
            failed = failure.of(fault, self.host)
            if failed.rule == "fetch.protocol":
                failed.value = self.host
            failed.status = None if transfer.head is None else transfer.head.status
            raise failed from fault

    def _understand(self, transfer: Transfer, policy: WebPolicy) -> Found | URL:
        if transfer.head is None:
            transfer.fail()
        status, headers = transfer.head
        if transfer.is_content:
            body = transfer.body()
            return Found(status, str(self.place), failure.clean(headers.get("content-type", "")), body)
        if status in _REDIRECT:
            self._seen.add(self.place)
            self.place = onward(self.place, headers.get("location"), self._seen, policy)
            return self.place
        if status in _PASSING:
            after = seconds_to_wait(headers.get("retry-after"))
            raise Failure("fetch.unavailable", passing=True, value=str(status), retry_after=after)
        raise Failure("fetch.status", value=str(status))


def seconds_to_wait(said: str | None) -> float | None:
    """What ``Retry-After`` asks for: seconds, or the time until a date (RFC 9110 10.2.3); none when it is neither."""
    if said is None:
        return None
    if said.isascii() and said.isdigit():
        return float(said[:12])
    try:
        date = email.utils.parsedate_to_datetime(said)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    return max(0.0, date.timestamp() - time.time())
