"""What a Spark task may do on the web."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from conf.feeds import ImagesFeed
from conf.settings import Web


@dataclass(frozen=True)
class WebPolicy:
    """The limits of one task. Everything is plain data, so that Spark can send it to its workers.

    Attributes:
        sources: patterns (conf.hosts) of hosts that a request may name.
        redirects: patterns of further hosts that a source may send us on to.
        ports: ports that a pattern without a port stands for.
        allow_addresses: address:port or address:* that may be connected to although not public.
        concurrency: requests under way at once.
        per_host: requests under way at once to one host.
        max_bytes: largest answer, after decompression.
        buffer_bytes: answers held at once, from before they are read until they are handed over.
        connect_seconds: time for a connection.
        total_seconds: time for one attempt, redirects and body included; waiting for a place of our own is not.
        attempts: attempts for what may pass.
        backoff_seconds: longest first pause between attempts; doubles each time.
        max_retry_after_seconds: longest Retry-After that is waited for.
        max_redirects: redirects followed in an attempt.
        user_agent: how we name ourselves.
        seed: of the jitter; none: by chance.
    """

    sources: tuple[str, ...]
    redirects: tuple[str, ...] = ()
    ports: tuple[int, ...] = (80, 443)
    allow_addresses: tuple[str, ...] = ()
    concurrency: int = 64
    per_host: int = 32
    max_bytes: int = 32 << 20
    buffer_bytes: int = 256 << 20
    connect_seconds: float = 10
    total_seconds: float = 60
    attempts: int = 4
    backoff_seconds: float = 0.5
    max_retry_after_seconds: float = 60
    max_redirects: int = 5
    user_agent: str = "Landfall"
    seed: int | None = None

    @classmethod
    def of(cls, feed: ImagesFeed, web: Web, tasks: int) -> Self:
        """The policy of one of ``tasks`` tasks that run at once: each has its share of what is a total in the settings.

        A share is never too small to work with: one request, and one answer of the largest size.
        """
        share = max(1, tasks)
        return cls(
            sources=feed.sources,
            redirects=feed.redirects,
            ports=web.ports,
            allow_addresses=web.allow_addresses,
            concurrency=max(1, web.concurrency // share),
            per_host=max(1, web.per_host // share),
            max_bytes=web.max_bytes,
            buffer_bytes=max(web.max_bytes, web.buffer_bytes // share),
            connect_seconds=web.connect_seconds,
            total_seconds=web.total_seconds,
            attempts=web.attempts,
            backoff_seconds=web.backoff_seconds,
            max_retry_after_seconds=web.max_retry_after_seconds,
            max_redirects=web.max_redirects,
            user_agent=web.user_agent,
        )
