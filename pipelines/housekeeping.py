"""Sweeps what dead runs left in staging."""

from __future__ import annotations

import contextlib

from pipelines.context import Context
from targets.filesystem import LeaseHeld
from targets.published import of


def sweep(places: Context) -> None:
    """Removes the staging of every published drop that nobody works on.

    A staging directory has the name of its lease. What an unpublished drop has in staging is kept: the next attempt
    resumes or replaces it.
    """
    for entry in places.fs.list(places.layout.stagings):
        feed, drop = entry.name.split(".")[:2]
        if of(places.fs, places.layout, feed, drop) is None:
            continue
        with contextlib.suppress(LeaseHeld), places.fs.lease(places.layout.lease(entry.name), places.holder()):
            places.fs.remove(f"{places.layout.stagings}/{entry.name}")
