"""URLs of a catalogue: made canonical by a library (yarl), and checked against what the feed allows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from yarl import URL

from conf.feeds import ImagesFeed
from conf.hosts import matches
from conf.settings import Settings
from spark_jobs.fields import Fault, fault

_LONGEST = 8000  # characters that RFC 9110, 4.1 wants everybody to support
_SHOWN = 200
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_IN_QUERY = "-._~!$&'()*+,;=:@/?%"  # RFC 3986, 3.4; what is escaped already stays
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff\\]|%(?![0-9A-Fa-f]{2})")


class Checked(NamedTuple):
    """A good URL: canonical, with its host (``host:port`` off the default port) and the size it asks for (pixels)."""

    url: str
    host: str
    width: int | None
    height: int | None


@dataclass(frozen=True)
class UrlPolicy:
    """What a feed allows. Picklable.

    Attributes:
        sources: host patterns.
        ports: ports that a pattern without a port stands for.
        size: regular expression over the path, or None.
        max_side: largest width or height (pixels).
    """

    sources: tuple[str, ...]
    ports: tuple[int, ...]
    size: str | None
    max_side: int

    @classmethod
    def of(cls, feed: ImagesFeed, settings: Settings) -> UrlPolicy:
        return cls(feed.sources, settings.web.ports, feed.size, settings.lines.max_side)


def check(text: str, policy: UrlPolicy) -> Checked | Fault:
    """The URL of a line, made canonical and checked. A canonical URL is its own canonical form."""
    text = text.strip()
    reason = _unfit(text)
    if reason:
        return fault("url.malformed", shown(text), reason=reason)
    scheme = _SCHEME.match(text)
    if scheme is None:
        return fault("url.malformed", shown(text), reason="it does not begin with http:// or https://")
    if scheme[1].lower() not in ("http", "https"):
        return fault("url.scheme", scheme[1][:_SHOWN])
    try:
        text, _, query = text.partition("#")[0].partition("?")
        url = URL(text)
        host, port = url.raw_host, url.port
    except ValueError as error:
        # The library's own words may repeat the URL, and with it a password.
        return fault("url.malformed", None, reason=str(error) if "@" not in text else "it cannot be taken apart")
    if not host or not port:
        return fault("url.malformed", shown(text), reason="it names no host")
    if url.raw_user is not None or url.raw_password is not None:
        return fault("url.credentials", host)
    if url.is_default_port():
        url = url.with_port(None)
    named = host if url.explicit_port is None else f"{host}:{port}"
    if not matches(policy.sources, host, port, policy.ports):
        return fault("url.host_not_allowed", named[:_SHOWN])
    size = _size(url.path, policy)
    if isinstance(size, Fault):
        return size
    # A query is kept to the letter (what escapes nothing is escaped): signatures are taken over it.
    kept = f"?{quote(query, safe=_IN_QUERY)}" if query else ""
    return Checked(f"{url}{kept}", named, *size)


def shown(text: str) -> str:
    """The beginning of a text that a client wrote, fit for a column: no credentials, no half characters."""
    before, at, rest = text.rpartition("@")
    if at:
        scheme, slashes, _ = before.partition("//")
        text = f"{scheme}//…@{rest}" if slashes else f"…@{rest}"
    return text[:_SHOWN].encode("utf-8", "replace").decode("utf-8")


def _unfit(text: str) -> str:
    """Why a text cannot be a URL at all, or nothing."""
    if not text:
        return "it is empty"
    if len(text) > _LONGEST:
        return f"it has {len(text):,} characters, {_LONGEST:,} are taken"
    found = _NOT_IN_URLS.search(text)
    if found:
        return f"it holds {found[0]!a} at character {found.start() + 1}"
    return ""


def _size(path: str, policy: UrlPolicy) -> tuple[int | None, int | None] | Fault:
    if policy.size is None:
        return None, None
    found = re.search(policy.size, path)
    sides = (found["width"], found["height"]) if found else ("", "")
    if not all(side and side.isascii() and side.isdigit() for side in sides):
        return fault("url.no_size", shown(path))
    if any(len(side) > 9 or not 1 <= int(side) <= policy.max_side for side in sides):
        return fault("url.size_out_of_range", "x".join(side[:12] for side in sides), limit=policy.max_side)
    return int(sides[0]), int(sides[1])
