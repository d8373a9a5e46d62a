"""Makes the plan of a workflow, as things stand."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from auth.gate import authorize
from conf.actions import Aggregate, Load, Python, Writing, reads
from conf.errors import ConfigError, LandfallError
from conf.names import is_name
from conf.problems import shown
from pipelines.context import Context, context
from pipelines.plan import AnyAction, Plan, Step
from pipelines.workflows import find, whose
from spark_jobs.actions.modules import read_module
from spark_jobs.star.described import known_tables
from targets.catalog import Catalog, published_tables
from targets.marts import Mart, published_marts, short, state_after

LOGIC = 1
"""Version of how actions work: a new one makes new builds."""

_CLEANING = 2
"""Version of how a ``load`` cleans texts; since 2 it is by the code of feeds of records."""

_PLANS: dict[tuple[str, str], Plan] = {}


def plan_of(client: str, workflow: str, afresh: bool = False) -> Plan:
    """The workflow's plan in this process: made once a run, so that all its actions see the same data.

    AccessDenied before anything of the client's is read. Who has the plan already is not asked again: every drop's
    action looks into it several times, and ``Action.authorize`` asks before anything is made.
    """
    if afresh or (client, workflow) not in _PLANS:
        authorize(client, "run")
        if not is_name(workflow):
            raise LandfallError(f"{shown(workflow)} is no workflow's name.")
        _PLANS[client, workflow] = make_plan(context(client), workflow)
    return _PLANS[client, workflow]


def make_plan(places: Context, name: str) -> Plan:
    """The plan of one workflow as things stand; the gate has been asked.

    Raises:
        NotFound: the client has no workflow of this name.
        ConfigError: a module cannot be read.
    """
    config = places.config()
    workflow = find(config, name)
    catalog = published_tables(places.fs, places.layout, None, known_tables(config.feeds))
    marts = published_marts(places.fs, places.layout)
    plan = Plan(workflow, places.client, config, catalog, marts, whose(config))
    plan.states.update({table: mart.state for table, mart in marts.items()})
    writers = {action.into: action.name for _, action in workflow.actions() if isinstance(action, Writing)}
    drops = _drops(catalog)
    for stage, action in workflow.actions():
        _Planner(places, plan, writers, drops, stage, action).add()
    return plan


def made_by(places: Context, action: AnyAction) -> Any:
    """What an action is: SQL or code, and every option, as JSON can say it."""
    options = action.model_dump(mode="json", by_alias=True, exclude={"sql", "sql_file"})
    if isinstance(action, Aggregate):
        try:
            return [options, action.statement(places.client).sql]
        except ValueError as error:
            raise ConfigError(f"The action {action.name} is wrong: {error}.") from None
    if isinstance(action, Python):
        return [options, read_module(places.settings, places.client, action.function.partition(":")[0]).digest]
    if isinstance(action, Load) and any(column.clean for column in action.map):
        return [options, _CLEANING]
    return [options]


def _drops(catalog: Catalog) -> dict[str, tuple[datetime, str]]:
    """When each published drop was received, and its feed."""
    return {
        part.drop: (part.received, part.feed)
        for parts in catalog.parts.values()
        for part in parts
        if part.drop and not part.workflow
    }


@dataclass
class _Planner:
    """The steps of one action."""

    places: Context
    plan: Plan
    writers: Mapping[str, str]
    drops: Mapping[str, tuple[datetime, str]]
    stage: int
    action: AnyAction

    def add(self) -> None:
        action, tables = self.action, reads(self.action, self.plan.client)
        own = action.into if isinstance(action, Writing) else ""
        read = tables - {own}
        if isinstance(action, Writing) and action.incremental:
            self._each_drop(action, read, own in tables)
        elif isinstance(action, Writing):
            self._whole(action, read, own in tables)
        else:
            inputs = self._identities(read)
            build = short([LOGIC, self._made_by(), inputs])
            self._step("", "", build, inputs, (build, build), self._before(read), self._feeds(read))

    def _whole(self, action: Writing, read: frozenset[str], reads_own: bool) -> None:
        inputs = self._identities(read)
        key = short([LOGIC, self._made_by(), inputs])
        mart = self._mart(action)
        if mart is not None and mart.key == key:
            build, state = mart.build, mart.state
        else:
            before = mart.state if mart is not None else ""
            build = short([key, before]) if reads_own else key
            state = state_after(before, build, action.mode)
        if reads_own:
            inputs = {**inputs, action.into: mart.state if mart is not None else ""}
        self._step("", "", build, inputs, (key, state), self._before(read), self._feeds(read))

    def _each_drop(self, action: Writing, read: frozenset[str], reads_own: bool) -> None:
        made_by, state, last = self._made_by(), "", ""
        by_drop = self._identities_of_drops(read)
        for drop in self._of_feeds(read):
            inputs: dict[str, Any] = {table: by_drop[table].get(drop, []) for table in sorted(read)}
            before: Any = state if reads_own else ""
            build = short([LOGIC, made_by, drop, inputs, before])
            if reads_own:
                inputs[action.into] = before
            chain = ((action.name, last),) if reads_own and last else ()
            feed = self.drops[drop][1]
            self._step(drop, feed, build, inputs, (build, ""), (*self._before(read), *chain), frozenset({feed}))
            state, last = state_after(state, build, action.mode), drop
        needs = tuple((action.name, step.drop) for step in self.plan.outputs(action.name))
        self._step("", "", "", {}, (state, state), needs, self._feeds(read))

    def _step(
        self,
        drop: str,
        feed: str,
        build: str,
        inputs: Mapping[str, Any],
        leads_to: tuple[str, str],
        needs: tuple[tuple[str, str], ...],
        feeds: frozenset[str],
    ) -> None:
        action = self.action
        key, state = leads_to
        step = Step(action, self.stage, drop, feed, build, inputs, key, state, needs, feeds)
        self.plan.steps[action.name, drop] = step
        if isinstance(action, Writing) and not drop:
            self.plan.states[action.into] = state

    def _mart(self, action: Writing) -> Mart | None:
        """What was published of the action's table, if this action made it."""
        mart = self.plan.marts.get(action.into)
        ours = mart is not None and (mart.workflow, mart.action) == (self.plan.workflow.name, action.name)
        return mart if ours else None

    def _before(self, read: Collection[str]) -> tuple[tuple[str, str], ...]:
        return tuple((self.writers[table], "") for table in sorted(read) if table in self.writers)

    def _feeds(self, read: Collection[str]) -> frozenset[str]:
        return frozenset().union(*(self.plan.feeds.get(table, frozenset()) for table in read))

    def _identities(self, read: Collection[str]) -> dict[str, Any]:
        return {table: self._identity(table) for table in sorted(read)}

    def _identity(self, table: str) -> Any:
        if table in self.plan.states or table not in self.plan.catalog.tables:
            return self.plan.states.get(table, "")
        return self.plan.catalog.identity(table)

    def _identities_of_drops(self, read: Collection[str]) -> dict[str, dict[str, list[str]]]:
        found: dict[str, dict[str, list[str]]] = {}
        for table in read:
            by_drop = found[table] = {}
            if table in self.writers:
                for step in self.plan.outputs(self.writers[table]):
                    by_drop.setdefault(step.drop, []).append(step.build)
                continue
            for part in self.plan.catalog.parts.get(table, ()):
                by_drop.setdefault(part.drop, []).append(part.identity)
        return found

    def _of_feeds(self, read: Collection[str]) -> list[str]:
        """The drops that an action sees one at a time: of the feeds whose facts it reads, of those that its workflow
        follows, in order of receipt.
        """
        facts = [table for table in read if table.startswith("fact_")]
        feeds = self._feeds(facts or read)
        feeds = feeds & set(self.plan.workflow.after.feeds) or feeds
        return sorted(
            (drop for drop, (_, feed) in self.drops.items() if feed in feeds), key=lambda d: (self.drops[d], d)
        )

    def _made_by(self) -> Any:
        return made_by(self.places, self.action)
