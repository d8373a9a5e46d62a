"""The trail: every decision is one line of ``<home>/logs/audit.jsonl``. What cannot be written down is not allowed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from auth.private import append_private
from conf.errors import AccessDenied, StorageError
from targets.clock import now

_MOST_CHARACTERS = 256


def record(
    log: Path,
    *,
    user: str | None,
    client: str,
    feed: str | None,
    action: str,
    allowed: bool,
    reason: str,
    feeds: Iterable[str] | None = (),
) -> None:
    """Writes one decision down; AccessDenied if that is not possible.

    Args:
        log: the audit log; made, mode 0600, where there is none.
        user: who asked, proved or not; None if nobody said.
        feeds: on which feeds it was allowed; None: on all.
    """
    line = {
        "time": f"{now():%Y-%m-%dT%H:%M:%S.%fZ}",
        "user": _short(user),
        "client": _short(client),
        "feed": _short(feed),
        "action": _short(action),
        "allowed": allowed,
        "feeds": "*" if feeds is None else sorted(feeds),
        "reason": reason,
    }
    try:
        append_private(log, json.dumps(line).encode() + b"\n")
    except StorageError as error:
        raise AccessDenied(
            f"The decision cannot be written down, so access is denied: {error.what}", error.fix
        ) from error


def _short(text: str | None) -> str | None:
    return text if text is None else text[:_MOST_CHARACTERS]
