"""Where an attempt may go: the first URL, and each that a redirect names."""

from __future__ import annotations

import functools
import re

from yarl import URL

from conf.hosts import matches
from spark_jobs.web.addresses import check_literal
from spark_jobs.web.failure import Failure
from spark_jobs.web.policy import WebPolicy

_SAID = {
    "url.malformed": "that is no URL",
    "url.scheme": "it is neither http nor https",
    "url.credentials": "it carries a user name or password",
    "url.host_not_allowed": "its host and port are not among the feed's redirects",
}


# What goes onto the wire as it is: nothing that ends a line or a word.
_TARGET = re.compile(r"/[!-~]*")
_HOST = re.compile(r"[0-9A-Za-z._-]+|[0-9A-Fa-f:.]+")
_LONGEST_HOST = 254


def first(url: str, policy: WebPolicy) -> URL:
    """Where a request goes first; Failure when it may not (Validate has found that out before)."""
    try:
        place = URL(url, encoded=True)  # canonical, with its query to the letter
        rule = _forbidden(place, policy.sources, policy)
    except ValueError as error:
        raise Failure("url.malformed", value=url, reason=str(error)) from error
    if rule:
        value = place.scheme if rule == "url.scheme" else place.raw_host
        raise Failure(rule, value=value, reason="it names no host, or holds what must be escaped")
    return place


def onward(place: URL, location: str | None, seen: set[URL], policy: WebPolicy) -> URL:
    """Where a redirect leads, checked as anew; Failure when it leads nowhere, back, down to http, or astray.

    Args:
        place: that redirects.
        location: what it says.
        seen: where the attempt was; takes the new place.
    """
    if location is None:
        raise Failure("fetch.redirects", value=place.raw_host, reason="it does not say where to")
    try:
        goal = place.join(URL(location)).with_fragment(None)
        rule = _forbidden(goal, (*policy.sources, *policy.redirects), policy)
    except ValueError:
        raise Failure("fetch.redirects", value=location, reason=_SAID["url.malformed"]) from None
    if rule:
        reason = _SAID[rule]
    elif place.scheme == "https" and goal.scheme == "http":
        reason = "that leaves https"
    elif goal in seen:
        reason = "it goes in a circle"
    elif len(seen) > policy.max_redirects:
        reason = f"more than {policy.max_redirects} redirects"
    else:
        seen.add(goal)
        return goal
    raise Failure("fetch.redirects", value=str(_bare(goal)), reason=reason)


def _bare(url: URL) -> URL:
    """A URL without credentials: those are nobody's business who reads the message."""
    return url.with_user(None) if url.raw_host and url.user is not None else url


def _forbidden(place: URL, patterns: tuple[str, ...], policy: WebPolicy) -> str:
    """The code of what is wrong with a URL, empty when it may be asked; Failure for an address that may never be."""
    if place.scheme not in ("http", "https"):
        return "url.scheme"
    if not place.raw_host or place.port is None:
        return "url.malformed"
    if place.user is not None or place.password is not None:
        return "url.credentials"
    host = place.raw_host
    if len(host) > _LONGEST_HOST:
        return "url.host_not_allowed"
    rule = _forbidden_host(host, place.port, patterns, policy.ports, policy.allow_addresses)
    return rule or ("" if _HOST.fullmatch(host) and _TARGET.fullmatch(place.raw_path_qs) else "url.malformed")


@functools.lru_cache(4096)
def _forbidden_host(
    host: str, port: int, patterns: tuple[str, ...], ports: tuple[int, ...], allowed: tuple[str, ...]
) -> str:
    check_literal(host, port, allowed)
    return "" if matches(patterns, host, port, ports) else "url.host_not_allowed"
