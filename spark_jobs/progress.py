"""How a job tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Step = Callable[[int, int, str], None]
"""Told (steps done, steps in all, what comes next)."""


def silent(*_said: object) -> None:
    """For whoever does not want to know, such as a worker."""
