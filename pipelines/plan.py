"""What a workflow has to make: every output with its build, worked out before anything runs.

A build says what an output is made by (SQL or code, options) and of (the identity of every table that is read), so that
what is there already is known by its name. Of an action that sees one drop at a time there is an output a drop; what
readers see of its table is then a fold over the outputs of all drops, in order of receipt.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from auth.gate import Permit
from conf.actions import Aggregate, Deliver, Load, Python, Writing, reads
from conf.client import ClientConfig
from conf.errors import AccessDenied, ConfigError, NotFound
from conf.problems import nearest, shown
from conf.workflow_order import order
from conf.workflows import Workflow
from pipelines.context import Context
from spark_jobs.actions.modules import read_module
from spark_jobs.star.daily import built_in
from spark_jobs.star.described import feed_tables, known_tables
from targets.catalog import Catalog, published_tables
from targets.marts import Mart, published_marts, short, state_after

LOGIC = 1
"""Version of how actions work: a new one makes new builds."""

_CLEANING = 2
"""Version of how a ``load`` cleans texts; since 2 it is by the code of feeds of records."""

AnyAction = Aggregate | Load | Python | Deliver


@dataclass(frozen=True)
class Step:
    """One output of an action, and, where ``drop`` is empty, what readers see of its table then.

    Attributes:
        stage: number of its stage.
        drop, feed: of which drop; empty: of the action as a whole.
        build: of the output; empty where the outputs are those of drops, or there are none.
        inputs: the identity of each table that is read.
        key: what decides the build, beside the table's own earlier content.
        state: of the table when it is published; empty: nothing is.
        needs: the steps that come before, as (action, drop).
        feeds: whose data it is made of.
    """

    action: AnyAction
    stage: int
    drop: str
    feed: str
    build: str
    inputs: Mapping[str, Any]
    key: str
    state: str
    needs: tuple[tuple[str, str], ...]
    feeds: frozenset[str]


@dataclass
class Plan:
    """A workflow's steps, in an order in which they may run.

    Attributes:
        catalog: the tables as they were when the plan was made.
        marts: the marts then.
        steps: by (action, drop).
        states: of each table that a workflow makes, once the plan has run.
        feeds: whose data a table is made of.
    """

    workflow: Workflow
    client: str
    config: ClientConfig
    catalog: Catalog
    marts: Mapping[str, Mart]
    feeds: Mapping[str, frozenset[str]]
    steps: dict[tuple[str, str], Step] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)

    def outputs(self, action: str) -> Iterator[Step]:
        """The steps of an action that are of one drop each, in order of receipt."""
        yield from (step for (name, drop), step in self.steps.items() if name == action and drop)

    def is_seen(self, action: str, drop: str) -> bool:
        """Whether what an action made of a drop is among what readers see its table of: no one need look for it."""
        step = self.steps.get((action, drop)) if drop else None
        return step is not None and isinstance(step.action, Writing) and step.build in self._seen[step.action.into]

    @functools.cached_property
    def _seen(self) -> Mapping[str, frozenset[str]]:
        """The builds that each table is made of that readers see."""
        seen = {table: frozenset(part.build for part in mart.parts) for table, mart in self.marts.items()}
        return defaultdict(frozenset, seen)

    def all_feeds(self) -> frozenset[str]:
        """Whose data the workflow reads."""
        return frozenset().union(*(step.feeds for step in self.steps.values()))


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


def workflows(config: ClientConfig) -> tuple[Workflow, ...]:
    """What is built in, then the client's own, each after those whose tables it reads."""
    return (*built_in(config.feeds), *order(config.client, config.workflow))


def find(config: ClientConfig, name: str) -> Workflow:
    """The client's workflow of this name."""
    names = [workflow.name for workflow in config.workflow]
    for workflow in workflows(config):
        if workflow.name == name:
            return workflow
    there = f"Its workflows are {', '.join(names)}{nearest(name, names)}" if names else "It has none."
    raise NotFound(f"Client {config.client} has no workflow {shown(name)}.", there)


def whose(config: ClientConfig) -> dict[str, frozenset[str]]:
    """Whose data each table is made of: of which feeds."""
    found: dict[str, frozenset[str]] = {}
    for feed, its in config.feeds.items():
        for table in feed_tables(feed, its):
            found[table] = found.get(table, frozenset()) | {feed}
    for workflow in workflows(config):
        for _, action in workflow.actions():
            if isinstance(action, Writing) and action.into not in found:
                read = reads(action, config.client) - {action.into}
                found[action.into] = frozenset().union(*(found.get(table, frozenset()) for table in read))
    return found


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


def refuse_beyond(permit: Permit, feeds: frozenset[str], what: str) -> None:
    """AccessDenied unless whoever asks may run all these feeds."""
    beyond = sorted(feeds - permit.feeds) if permit.feeds is not None else []
    if beyond:
        raise AccessDenied(
            f"The {what} reads data of the feeds {', '.join(beyond)}, which {permit.user} may not run.",
            "Ask an admin of the client for a grant (grants.toml).",
        )


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
