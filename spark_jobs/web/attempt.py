"""One attempt: a GET, the redirects that it meets, and the body at the end of them."""

from __future__ import annotations

import email.utils
import time
from dataclasses import dataclass
from typing import NamedTuple

import aiohttp
from yarl import URL

from spark_jobs.web import failure
from spark_jobs.web.failure import Failure
from spark_jobs.web.hops import onward
from spark_jobs.web.places import Buffer, Places, Stopwatch
from spark_jobs.web.policy import WebPolicy

_REDIRECT = frozenset({301, 302, 303, 307, 308})
_CONTENT = frozenset({200, 203})
_PASSING = frozenset({429, 500, 502, 503, 504})


class Found(NamedTuple):
    """What an attempt brought. ``body`` stays counted in the buffer until it is given back."""

    status: int
    final_url: str
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Attempt:
    """How attempts of a task are made; one object serves all of them."""

    session: aiohttp.ClientSession
    policy: WebPolicy
    places: Places
    buffer: Buffer

    async def get(self, place: URL, watch: Stopwatch) -> Found:
        """Asks, and follows redirects to the picture; Failure when there is none, TimeoutError from the watch."""
        seen = {place}
        async with self.places.at(place.raw_host or "", watch) as spot:
            while True:
                try:
                    found = await self._hop(place, seen, watch)
                except Exception as fault:  # whatever a hostile answer makes a library raise is a failed URL
                    raise failure.of(fault, place.raw_host or "") from fault
                if isinstance(found, Found):
                    return found
                place = found
                await self.places.move(spot, place.raw_host or "", watch)

    async def _hop(self, place: URL, seen: set[URL], watch: Stopwatch) -> Found | URL:
        """What one URL gives: the picture, or where it sends on to."""
        async with self.session.get(place, allow_redirects=False) as response:
            try:
                return await self._understand(response, place, seen, watch)
            except Exception as fault:
                failed = failure.of(fault, place.raw_host or "")
                failed.status = response.status
                raise failed from fault

    async def _understand(
        self, response: aiohttp.ClientResponse, place: URL, seen: set[URL], watch: Stopwatch
    ) -> Found | URL:
        status, headers = response.status, response.headers
        if status in _REDIRECT:
            return onward(place, headers.get("Location"), seen, self.policy)
        if status in _PASSING:
            after = seconds_to_wait(headers.get("Retry-After"))
            raise Failure("fetch.unavailable", passing=True, value=str(status), retry_after=after)
        if status not in _CONTENT:
            raise Failure("fetch.status", value=str(status))
        body = await self._body(response, watch)
        return Found(status, str(place), failure.clean(headers.get("Content-Type", "")), body)

    async def _body(self, response: aiohttp.ClientResponse, watch: Stopwatch) -> bytes:
        """The body, read only once there is room for all that it may be."""
        limit, told = self.policy.max_bytes, response.content_length
        if told is not None and told > limit:
            raise Failure("fetch.too_large", limit=limit)
        grows = told is None or "Content-Encoding" in response.headers
        held = await self.buffer.take(limit if grows or told is None else told, watch)
        try:
            body = await _read(response.content, limit)
        except BaseException:
            self.buffer.give(held)
            raise
        self.buffer.give(held - len(body))
        return body


async def _read(stream: aiohttp.StreamReader, limit: int) -> bytes:
    body = bytearray()
    async for piece in stream.iter_any():
        body += piece
        if len(body) > limit:
            raise Failure("fetch.too_large", limit=limit)
    return bytes(body)


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
