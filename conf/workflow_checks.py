"""What of a client's workflows does not fit together: tables, columns, writers, order. Every mistake is a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify

from conf.actions import Aggregate, Deliver, Load, Python, Writing, derived, reads
from conf.feeds import Feed, RecordsFeed
from conf.problems import nearest, shown
from conf.workflow_order import circle_of
from conf.workflows import Workflow

_COLOURS = re.compile(r"\x1b\[\d*m")
# Of each table its columns' names; None where nobody knows them before the action has run.
Columns = Mapping[str, Sequence[str] | None]
_Any = Aggregate | Load | Python | Deliver


@dataclass
class _Checks:
    client: str
    workflows: Sequence[Workflow]
    feeds: Mapping[str, Feed]
    columns: dict[str, Sequence[str] | None]
    writers: dict[str, tuple[str, int, Writing]] = field(default_factory=dict)
    complete: bool = True

    def problems(self) -> Iterator[str]:
        yield from self._twice([workflow.name for workflow in self.workflows], "workflow")
        for number, workflow in enumerate(self.workflows):
            place = f"workflow[{number}]"
            yield from self._twice([action.name for _, action in workflow.actions()], f"{place}: action")
            for feed in workflow.after.feeds:
                if feed not in self.feeds:
                    yield f"{place}.after is {shown(feed)}; there is no such feed{nearest(feed, self.feeds)}"
            yield from self._writers(workflow, place)
        circle = circle_of(self.client, self.workflows)
        if circle:
            yield f"workflows read each other's tables in a circle: {' -> '.join(circle)}."
        for number, workflow in enumerate(self.workflows):
            for stage, place, action in _placed(workflow, f"workflow[{number}]"):
                yield from (f"{place}{wrong}" for wrong in self._action(workflow, stage, action))

    def _twice(self, names: list[str], what: str) -> Iterator[str]:
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"{what} {name} is there twice; give each a name of its own."

    def _writers(self, workflow: Workflow, place: str) -> Iterator[str]:
        for stage, where, action in _placed(workflow, place):
            if not isinstance(action, Writing):
                continue
            other = self.writers.get(action.into)
            if other is not None:
                yield (
                    f"{where}.into is {shown(action.into)}; {other[0]}.{other[2].name} writes into it: "
                    "each table has one action that does."
                )
            elif action.into in self.columns:
                yield f"{where}.into is {shown(action.into)}; that is a table of a feed."
            else:
                self.writers[action.into] = (workflow.name, stage, action)

    def _action(self, workflow: Workflow, stage: int, action: _Any) -> Iterator[str]:
        """What is wrong with one action; its result's columns are known from then on."""
        try:
            read = reads(action, self.client)
        except ValueError as error:
            yield f" is wrong: {_ended(error)}"
            return
        tables = [*self.columns, *self.writers]
        unknown = sorted(table for table in read if table not in tables) if self.complete else []
        for table in unknown:
            yield f" reads {shown(table)}; there is no such table{nearest(table, tables)}"
        for table in sorted(read & self.writers.keys()):
            yield from self._order(workflow, stage, action, table)
        if isinstance(action, Deliver) or unknown:
            return
        if action.incremental:
            yield from self._corrected(read)
        yield from self._columns(action)

    def _corrected(self, read: AbstractSet[str]) -> Iterator[str]:
        """Drops of one feed replace each other's records, and are seen one by one: those would count twice."""
        for name, feed in self.feeds.items():
            table = f"fact_{name.replace('-', '_')}"
            if table in read and isinstance(feed, RecordsFeed) and feed.on_redrop != "append":
                yield (
                    f" sees one drop alone and reads {table}, whose on_redrop is {feed.on_redrop!r}: what a later drop "
                    "corrects would count twice; leave incremental out."
                )

    def _order(self, workflow: Workflow, stage: int, action: _Any, table: str) -> Iterator[str]:
        name, at, writer = self.writers[table]
        if writer is action or name != workflow.name:
            own = writer is action and isinstance(action, Writing)
            if own and isinstance(action, Writing) and action.incremental and action.mode != "replace":
                yield " reads its own table for each drop; that needs mode = 'replace'."
            if own and isinstance(action, Writing) and action.columns is None:
                yield " reads its own table: say which `columns` it has, for the first time there is none."
            return
        if at >= stage:
            when = "the same" if at == stage else "a later"
            yield f" reads {table}, which {writer.name} of {when} stage makes; it may read what earlier stages make."
            return
        if isinstance(action, Writing) and action.incremental and not (writer.incremental and writer.mode == "append"):
            yield (
                f" sees one drop alone and reads {table}, which is not made drop by drop: have {writer.name} "
                "incremental with mode = 'append', or leave incremental out here."
            )

    def _columns(self, action: Writing) -> Iterator[str]:
        result: Sequence[str] | None = list(action.columns) if action.columns is not None else None
        try:
            found = self._result(action)
        except ValueError as error:
            yield f" is wrong: {_ended(error)}"
            found = None
        if found is not None and result is not None and sorted(found) != sorted(result):
            yield f" gives the columns {', '.join(found)}; columns names {', '.join(result)}."
        known = result or found
        if known is not None and action.partition_by is not None and action.partition_by not in known:
            yield f".partition_by is {shown(action.partition_by)}; the columns are {', '.join(known)}."
        self.columns[action.into] = known

    def _result(self, action: Writing) -> Sequence[str] | None:
        """The columns that an action gives, as far as they can be told; ValueError for one that there is not."""
        if isinstance(action, Aggregate):
            return self._selected(action)
        if not isinstance(action, Load):
            return None
        there = self.columns.get(action.source)
        for column in action.map if there is not None else ():
            assert there is not None
            if column.derive is not None:
                derived(column.derive, frozenset(there))
            elif column.column not in there:
                raise ValueError(
                    f"{action.source} has no column {shown(column.column)}{nearest(column.column, there)}".rstrip(".")
                )
        return [column.name for column in action.map]

    def _selected(self, action: Aggregate) -> Sequence[str] | None:
        statement = action.statement(self.client)
        own = list(action.columns) if action.columns is not None else statement.columns
        known = {table: own if table == action.into else self.columns.get(table) for table in statement.tables}
        if any(columns is None for columns in known.values()):
            return statement.columns
        schema: dict[str, object] = {table: dict.fromkeys(columns or (), "string") for table, columns in known.items()}
        try:
            tree = qualify(
                parse_one(statement.sql, read="spark"), schema=schema, dialect="spark", quote_identifiers=False
            )
        except SqlglotError as error:
            raise ValueError(_unresolved(str(error), [name for of in known.values() for name in of or ()])) from None
        assert isinstance(tree, exp.Query)
        return tree.named_selects


def problems(
    client: str, workflows: Sequence[Workflow], feeds: Mapping[str, Feed], columns: Mapping[str, Sequence[str]] | None
) -> list[str]:
    """Every mistake, as a sentence that begins with its place.

    Args:
        feeds: the client's feeds, by name.
        columns: of each table of the client's feeds; None: nobody knows here, and tables of feeds are not looked at.
    """
    return list(_Checks(client, workflows, feeds, dict(columns or {}), complete=columns is not None).problems())


def _ended(error: ValueError) -> str:
    text = str(error)
    return text if text.endswith(("?", ".")) else f"{text}."


def _unresolved(said: str, columns: Sequence[str]) -> str:
    """What sqlglot says of a name that it finds nowhere, or more than once."""
    first = _COLOURS.sub("", said.partition("\n")[0])
    missing = re.match(r"Column '([^']*)' could not be resolved", first)
    if missing:
        return f"there is no column {shown(missing[1])}{nearest(missing[1], columns)}".rstrip(".")
    return first.rstrip(".")


def _placed(workflow: Workflow, place: str) -> Iterator[tuple[int, str, _Any]]:
    for number, stage in enumerate(workflow.stages):
        for at, action in enumerate(stage.actions):
            yield number, f"{place}.stages[{number}].actions[{at}] ({action.name})", action
