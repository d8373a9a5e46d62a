"""What time it is."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The time (UTC). The one place that asks for it, so that a test can cross midnight."""
    return datetime.now(UTC)
