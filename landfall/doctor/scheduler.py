"""Luigi's central scheduler: optional, and open to whoever reaches it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

import luigi
import requests

from landfall.doctor.finding import Finding, well

_PART = "scheduler"
_SECONDS = 5


def scheduler() -> Iterator[Finding]:
    """Whether it answers, and from where it can be reached."""
    config = luigi.configuration.get_config()  # type: ignore[no-untyped-call]  # luigi's
    host = config.get("core", "default-scheduler-host", "localhost")
    port = config.get("core", "default-scheduler-port", "8082")
    url = config.get("core", "default-scheduler-url", "") or f"http://{host}:{port}"
    try:
        answer = requests.get(f"{url.rstrip('/')}/api/task_list", timeout=_SECONDS)
        answer.raise_for_status()
    except requests.RequestException:
        yield Finding(
            _PART,
            "reach",
            "look",
            f"No luigid answers at {url}.",
            "Run with --local-scheduler, or start it: luigid --address 127.0.0.1",
        )
        return
    yield well(_PART, "reach", url)
    if not _loopback(urlsplit(url).hostname or ""):
        yield Finding(
            _PART,
            "exposure",
            "look",
            f"{url} is not on loopback, and luigid has no log-in.",
            "Keep it on loopback and reach its page through an ssh tunnel, or behind a proxy that asks who comes.",
        )


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
