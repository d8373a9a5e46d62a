"""What a workflow has to make: every output with its build, worked out before anything runs (``pipelines.planner``).

A build says what an output is made by (SQL or code, options) and of (the identity of every table that is read), so that
what is there already is known by its name. Of an action that sees one drop at a time there is an output a drop; what
readers see of its table is then a fold over the outputs of all drops, in order of receipt.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from conf.actions import Aggregate, Deliver, Load, Python, Writing
from conf.client import ClientConfig
from conf.workflows import Workflow
from targets.catalog import Catalog
from targets.marts import Mart

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
        if step is None or not isinstance(step.action, Writing):
            return False
        return step.build in self._seen.get(step.action.into, ())

    @functools.cached_property
    def _seen(self) -> Mapping[str, frozenset[str]]:
        """The builds that each table is made of that readers see."""
        return {table: frozenset(part.build for part in mart.parts) for table, mart in self.marts.items()}

    def all_feeds(self) -> frozenset[str]:
        """Whose data the workflow reads."""
        return frozenset().union(*(step.feeds for step in self.steps.values()))
