"""How the workflows of a client stand: the last attempt of each action, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from conf.workflows import Workflow
from targets.filesystem import FileSystem
from targets.journal import Journal
from targets.layout import ClientLayout

State = Literal["waiting", "running", "done", "broke off", "failed"]


@dataclass(frozen=True)
class ActionStanding:
    """One action.

    Attributes:
        state: of its last attempt; "waiting" if there was none.
        when: the attempt ended, or began (UTC).
        error: why it failed, and what to do.
    """

    action: str
    kind: str
    state: State
    when: datetime | None
    error: str


@dataclass(frozen=True)
class WorkflowStanding:
    """One workflow.

    Attributes:
        last: when one of its actions was last run (UTC); None: never.
        actions: all, in order.
    """

    workflow: str
    last: datetime | None
    actions: tuple[ActionStanding, ...]

    @property
    def state(self) -> State:
        """What happens now counts before what happened."""
        found = {action.state for action in self.actions}
        order: tuple[State, ...] = ("running", "failed", "broke off", "done")
        return next((state for state in order if state in found), "waiting")


def workflow_standings(
    fs: FileSystem,
    layout: ClientLayout,
    journal: Journal,
    workflows: Sequence[Workflow],
    feeds: frozenset[str] | None,
) -> Iterator[WorkflowStanding]:
    """Every workflow that follows feeds of these alone (None: all)."""
    last: dict[tuple[str, str], Mapping[str, Any]] = {}
    for entry in journal.entries() if workflows else ():
        if entry.get("stage") == "action":
            last[str(entry.get("workflow")), str(entry.get("action"))] = entry
    for workflow in workflows:
        if feeds is not None and not set(workflow.after.feeds) <= feeds:
            continue
        actions = tuple(
            _standing(fs, layout, workflow.name, action.name, action.kind, last.get((workflow.name, action.name)))
            for _, action in workflow.actions()
        )
        when = max((action.when for action in actions if action.when), default=None)
        yield WorkflowStanding(workflow.name, when, actions)


def _standing(
    fs: FileSystem, layout: ClientLayout, workflow: str, action: str, kind: str, entry: Mapping[str, Any] | None
) -> ActionStanding:
    if entry is None:
        return ActionStanding(action, kind, "waiting", None, "")
    when = datetime.fromisoformat(entry["time"]).astimezone(UTC)
    if entry["event"] == "started":
        held = fs.lease_holder(layout.action_lease(workflow, action, str(entry.get("build")))) is not None
        return ActionStanding(action, kind, "running" if held else "broke off", when, "")
    failed = entry["event"] == "failed"
    return ActionStanding(action, kind, "failed" if failed else "done", when, str(entry.get("error") or ""))
