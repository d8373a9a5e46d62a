"""The tables that an action reads, as they were when its workflow was planned."""

from __future__ import annotations

from collections.abc import Iterable

from conf.actions import Writing
from conf.errors import NotFound
from pipelines.context import Context
from pipelines.plan import Plan, Step
from targets.catalog import Catalog, Part, mart_parts
from targets.clock import now
from targets.marts import Mart, MartPart, newest
from targets.tables import Table, merged


def tables_read(places: Context, plan: Plan, step: Step) -> Catalog:
    """The tables of a step. One that earlier steps made is read as they published it."""
    tables: dict[str, Table] = {}
    parts: dict[str, tuple[Part, ...]] = {}
    actions = (action for each in plan.config.workflow for _, action in each.actions())
    made = {action.into: action for action in actions if isinstance(action, Writing)}
    for name in step.inputs:
        if name not in made:
            found = list(plan.catalog.parts.get(name, ()))
            known = [plan.catalog.tables[name]] if name in plan.catalog.tables else []
        else:
            found = list(_own(places, plan, step) if _is_own(step, name) else _published(places, name))
            expected = made[name].expected()
            known = [Table(name, "mart", expected)] if expected is not None else []
            known += [part.table for part in found]
        if not known:
            raise NotFound(f"The table {name} has not been made yet.", "Run the workflow that makes it first.")
        tables[name] = merged(known)
        whole = not step.drop or _is_own(step, name)
        parts[name] = tuple(part for part in found if whole or part.drop == step.drop)
    return Catalog(tables, parts)


def _own(places: Context, plan: Plan, step: Step) -> Iterable[Part]:
    """An action's own table as it was before."""
    assert isinstance(step.action, Writing)
    table = step.action.into
    if not step.drop:
        mart = plan.marts.get(table)
        return mart_parts(places.fs, places.layout, mart) if mart is not None else ()
    before = None
    for other in plan.outputs(step.action.name):
        if other.drop == step.drop:
            break
        before = other
    if before is None:
        return ()
    part = MartPart(before.build, "", before.feed, before.drop, tuple(before.feeds))
    last = Mart(table, plan.workflow.name, step.action.name, 0, "", before.build, "", now(), (part,))
    return mart_parts(places.fs, places.layout, last)


def _published(places: Context, table: str) -> Iterable[Part]:
    mart = newest(places.fs, places.layout, table)
    return mart_parts(places.fs, places.layout, mart) if mart is not None else ()


def _is_own(step: Step, table: str) -> bool:
    return isinstance(step.action, Writing) and step.action.into == table
