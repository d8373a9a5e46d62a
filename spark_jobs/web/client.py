"""The one HTTP client of a task."""

from __future__ import annotations

import aiohttp

from spark_jobs.web.addresses import CheckedResolver
from spark_jobs.web.policy import WebPolicy

_LONGEST_HEADER = 8190  # bytes of one header, or of the status line
_MOST_HEADERS = 100


def session(policy: WebPolicy) -> aiohttp.ClientSession:
    """A client that asks for plain bytes, keeps no cookies, knows no proxy and verifies TLS; close it after use.

    Its connections are not limited here: places.py does, and it knows for how long a task waits.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=CheckedResolver(policy.allow_addresses), limit=0, keepalive_timeout=15),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=policy.connect_seconds),
        headers={"User-Agent": policy.user_agent, "Accept-Encoding": "identity"},
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        max_line_size=_LONGEST_HEADER,
        max_field_size=_LONGEST_HEADER,
        max_headers=_MOST_HEADERS,
    )
