"""In which order workflows run: each after those whose tables it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conf.actions import Writing, reads
from conf.workflows import Workflow


def order(client: str, workflows: Sequence[Workflow]) -> list[Workflow]:
    """The workflows, each after those whose tables it reads."""
    needs = _needs(client, workflows)
    left, sorted_ones = list(workflows), []
    while left:
        waiting = {workflow.name for workflow in left}
        free = [workflow for workflow in left if not needs[workflow.name] & waiting] or left
        sorted_ones.append(free[0])
        left.remove(free[0])
    return sorted_ones


def circle_of(client: str, workflows: Sequence[Workflow]) -> list[str]:
    """Workflows that wait for each other, the first of them last too; empty if there are none."""
    needs = _needs(client, workflows)
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for other in sorted(needs[name]):
            found = walk(other, [*way, name])
            if found:
                return found
        done.add(name)
        return []

    return next((found for name in needs if (found := walk(name, []))), [])


def _needs(client: str, workflows: Sequence[Workflow]) -> Mapping[str, set[str]]:
    """Of each workflow the others whose tables it reads; an action that cannot be read needs none."""
    writers = {one.into: flow.name for flow in workflows for _, one in flow.actions() if isinstance(one, Writing)}
    needs: dict[str, set[str]] = {workflow.name: set() for workflow in workflows}
    for workflow in workflows:
        for _, action in workflow.actions():
            try:
                tables = reads(action, client)
            except ValueError:
                continue
            needs[workflow.name] |= {writers[table] for table in tables & writers.keys()} - {workflow.name}
    return needs
