"""Sweeps what dead runs left in staging, and refused uploads that nobody asked about."""

from __future__ import annotations

import contextlib
from datetime import timedelta

from pipelines.context import Context
from targets.clock import now
from targets.filesystem import LeaseHeld
from targets.layout import WORKFLOWS
from targets.published import of


def sweep(places: Context) -> None:
    """Removes what is needed no more of the client."""
    _sweep_staging(places)
    _sweep_refused(places)


def _sweep_staging(places: Context) -> None:
    """Removes the staging of every published drop, and of every action, that nobody works on.

    A staging directory has the name of its lease, whose file goes, too: a run that was killed when its output was in
    place already left nothing else. What an unpublished drop has in staging is kept: the next attempt resumes or
    replaces it.
    """
    stagings, leases = (places.fs.list(path) for path in (places.layout.stagings, places.layout.leases))
    names = {entry.name for entry in stagings} | {entry.name for entry in leases if _is_of_a_stage(entry.name)}
    for name in sorted(names):
        feed, drop = name.split(".")[:2]
        if feed != WORKFLOWS and of(places.fs, places.layout, feed, drop) is None:
            continue
        with contextlib.suppress(LeaseHeld), places.fs.lease(places.layout.lease(name), places.holder()):
            places.fs.remove(f"{places.layout.stagings}/{name}")


def _is_of_a_stage(lease: str) -> bool:
    """Whether a lease is that of a stage of a drop: ``feed.drop.stage.build``."""
    return lease.count(".") == 3 and not lease.startswith(f"{WORKFLOWS}.")


def _sweep_refused(places: Context) -> None:
    days = places.settings.landing.keep_refused_days
    if not days:
        return
    removed = places.landing().sweep_refused(now() - timedelta(days=days))
    if removed:
        places.log.info("refused uploads removed", uploads=removed, days=days)
