"""Sweeps what nobody sees any more of the tables that workflows make: outputs of older builds, and older entries.

Kept are the builds that the workflow's plan names (an action that sees one drop at a time reads what it made of the
drops before), those that readers see, and for so many days those that they saw: a query, a notebook or a run that began
before still reads them. Neither a trace nor lineage opens any other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta

from pipelines.context import Context
from pipelines.plan import Plan
from targets.clock import now
from targets.dataset import Dataset
from targets.filesystem import Entry, LeaseHeld
from targets.marts import Mart, newest, read_entry, superseded

_A_DAY = 86_400.0
_BUILD = "build="
# workflow, action, build
Output = tuple[str, str, str]


def sweep_superseded(places: Context, plan: Plan) -> None:
    """Removes what was superseded ``workflows.keep_superseded_days`` ago; it looks closely once a day at most."""
    days = places.settings.workflows.keep_superseded_days
    if not days:
        return
    limit = (now() - timedelta(days=days)).timestamp()
    outputs = {output: entry.modified for output, entry in _outputs(places, plan) if entry.modified < limit}
    entries = {table: superseded(places.fs, places.layout, table) for table in plan.marts}
    since = [*outputs.values(), *(when for of in entries.values() for when in of.values())]
    if not since or min(since) > limit - _A_DAY:
        return
    kept = {
        output
        for table, of in entries.items()
        for name, when in of.items()
        if when >= limit
        for output in _seen(read_entry(places.fs, places.layout, table, name))
    }
    swept = sum(_sweep(places, output) for output in sorted(outputs.keys() - kept))
    for table, of in entries.items():
        for name, when in of.items():
            if when < limit:
                places.fs.remove(f"{places.layout.mart(table)}/{name}")
    if swept:
        places.log.info("superseded outputs removed", workflow=plan.workflow.name, outputs=swept, days=days)


def _outputs(places: Context, plan: Plan) -> Iterator[tuple[Output, Entry]]:
    """The workflow's outputs that are neither planned nor seen."""
    workflow = plan.workflow.name
    needed = {(workflow, action, step.build) for (action, _), step in plan.steps.items()}
    needed.update(output for mart in plan.marts.values() for output in _seen(mart))
    root = places.layout.actions(workflow)
    for action in places.fs.list(root):
        for entry in places.fs.list(f"{root}/{action.name}"):
            output = workflow, action.name, entry.name.removeprefix(_BUILD)
            if entry.name.startswith(_BUILD) and output not in needed:
                yield output, entry


def _seen(mart: Mart) -> Iterator[Output]:
    return ((mart.workflow, mart.action, part.build) for part in mart.parts)


def _sweep(places: Context, output: Output) -> bool:
    """Removes an output, unless somebody works on it or has it seen meanwhile; whether it did.

    It goes to staging by one rename first: a half removed output is never taken for a whole one, and what dead runs
    leave in staging is swept.
    """
    fs, layout = places.fs, places.layout
    path, staging = layout.action(*output), layout.action_staging(*output)
    with contextlib.suppress(LeaseHeld), contextlib.ExitStack() as held:
        held.enter_context(fs.lease(layout.action_lease(*output), places.holder()))
        dataset = Dataset(fs, path)
        for table in dataset.manifest().tables if dataset.exists() else ():
            held.enter_context(fs.lease(layout.mart_lease(table), places.holder()))
            mart = newest(fs, layout, table)
            if mart is not None and output in _seen(mart):
                return False
        fs.remove(staging)
        if fs.exists(path):
            fs.rename(path, f"{staging}/superseded")
        fs.remove(staging)
        return True
    return False
