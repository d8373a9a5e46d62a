"""Action: one action of a workflow, of one drop or of all."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from typing import Any

import luigi

from auth.gate import authorize
from conf.actions import Aggregate, Deliver, Load, Python, Writing
from conf.errors import LandfallError
from conf.problems import shown
from conf.workflows import BUILT_IN
from pipelines.deliver import deliver, is_delivered, write_file
from pipelines.openlineage import Traffic
from pipelines.output_task import Made, OutputTask, versions
from pipelines.plan import Plan, Step
from pipelines.planner import LOGIC, plan_of
from pipelines.tables_read import tables_read
from pipelines.waiting import wait_for_lease
from pipelines.workflows import refuse_beyond
from spark_jobs.actions import results
from spark_jobs.actions.modules import read_module
from spark_jobs.actions.write import missing, partition_of, write
from spark_jobs.session import is_little, isolated, session
from spark_jobs.star.reading import frames
from targets.clock import now
from targets.dataset import Dataset, Manifest, Staging
from targets.marts import Mart, MartPart, folded, newest, publish_mart
from targets.tables import Kind, Table


class Action(OutputTask):
    """Output: the action's table (one sub-directory), or the file that is delivered.

    Without a drop it also makes readers see the table, or hands the file over; that is when it is done.
    """

    workflow = luigi.Parameter(description="the workflow's name")
    action = luigi.Parameter(description="the action's name")
    drop = luigi.Parameter(default="", description="of an action that sees one drop at a time: the drop")

    @property
    def name(self) -> str:
        return self.action

    @property
    def title(self) -> str:
        return f"action {self.action} of workflow {self.workflow}"

    @property
    def context(self) -> Mapping[str, str]:
        of = {"feed": self.planned.feed, "drop": self.drop} if self.drop else {}
        return {"workflow": self.workflow, "action": self.action, "stage": "action", **of}

    @property
    def traffic(self) -> Traffic:
        inputs = {f"{self.client}/{table}": str(of or "") for table, of in self.planned.inputs.items()}
        name = f"{self.client}/{self.workflow}/{self.action}"
        return Traffic(name, inputs, name)

    @property
    def staging_path(self) -> str:
        return self.places.layout.action_staging(self.workflow, self.action, self.build)

    @property
    def lease_path(self) -> str:
        return self.places.layout.action_lease(self.workflow, self.action, self.build)

    @property
    def plan(self) -> Plan:
        return plan_of(self.client, self.workflow)

    @functools.cached_property
    def planned(self) -> Step:
        """What this is in the workflow's plan."""
        step = self.plan.steps.get((self.action, self.drop))
        if step is None:
            what = f"Workflow {self.workflow} has no action {shown(self.action)}"
            raise LandfallError(f"{what} of drop {shown(self.drop)}." if self.drop else f"{what}.")
        return step

    @property
    def build(self) -> str:
        return self.planned.build

    @property
    def dataset(self) -> Dataset:
        return Dataset(self.places.fs, self.places.layout.action(self.workflow, self.action, self.build))

    def requires(self) -> list[Action]:
        """The actions whose tables this one reads."""
        needs = [need for need in self.planned.needs if not self.plan.is_seen(*need)]
        return [self.clone(action=action, drop=drop) for action, drop in needs]  # type: ignore[no-untyped-call]

    def is_done(self) -> bool:
        """Whether the output is there, and readers see it or the client has it."""
        step, places = self.planned, self.places
        if self.drop:
            return self.plan.is_seen(self.action, self.drop) or self.dataset.exists()
        if isinstance(step.action, Deliver):
            return self.dataset.exists() and is_delivered(places, self.workflow, step)
        mart = newest(places.fs, places.layout, step.action.into)
        return not step.state or (mart is not None and mart.state == step.state)

    def authorize(self) -> None:
        refuse_beyond(authorize(self.client, "run"), self.planned.feeds, f"action {self.action}")

    def make(self) -> None:
        """Makes the output and has it seen."""
        if self.build:
            super().make()
        else:
            self.authorize()
        if self.drop:
            return
        if isinstance(self.planned.action, Deliver):
            deliver(self.places, self.workflow, self.planned, self.dataset)
        else:
            self._publish(self.planned.action)

    def after_fault(self) -> None:
        """Nothing: actions beside this one work on."""

    def work(self, place: Staging) -> Made:
        step = self.planned
        little = bool(self.drop) and is_little(self.places.drop(step.feed, self.drop).size)
        spark = isolated(session(self.places.settings), little)
        self.step(0, 2, "reads " + ", ".join(sorted(step.inputs)))
        read = tables_read(self.places, self.plan, step)
        self._read = {table: read.identity(table) for table in step.inputs}
        tables = frames(spark, place.fs, read)
        if isinstance(step.action, Deliver):
            return {"rows": write_file(spark, step.action, tables[step.action.table], place)}, {}
        action = step.action
        rows = results.shaped(self._result(spark, tables, action), action.expected(), f"The action {self.action}")
        self._columns = {field.name: field.dataType.simpleString() for field in rows.schema}
        self.step(1, 2, f"writes {action.into}")
        goal = place.table(action.into)
        count = write(place.fs, rows, goal, action.partition_by)
        if isinstance(action, Load):
            missing(spark, place.fs.uri(goal), rows, [column.name for column in action.map if column.required])
        return {"rows": count}, {}

    def manifest(self, counts: Mapping[str, int], times: Mapping[str, Any]) -> Manifest:
        step = self.planned
        tables = {}
        sql = {"sql": step.action.statement(self.client).sql} if isinstance(step.action, Aggregate) else {}
        if isinstance(step.action, Writing):
            kind: Kind = "aggregate" if self.workflow == BUILT_IN else "mart"
            tables[step.action.into] = Table(step.action.into, kind, self._columns).to_json()
        return Manifest(
            stage="action",
            build=self.build,
            client=self.client,
            feed=step.feed,
            drop=self.drop,
            logic=LOGIC,
            settings={**step.action.model_dump(mode="json", by_alias=True), "read": self._read, **sql},
            inputs=step.inputs,
            counts=counts,
            times=times,
            versions=versions(),
            tables=tables,
            workflow=self.workflow,
            action=self.action,
        )

    def _result(self, spark: Any, tables: results.Frames, action: Writing) -> Any:
        if isinstance(action, Aggregate):
            return results.aggregated(spark, tables, action.statement(self.client).sql)
        if isinstance(action, Load):
            return results.loaded(tables, action)
        assert isinstance(action, Python)
        module = read_module(self.places.settings, self.client, action.function.partition(":")[0])
        return results.calculated(tables, action, module)

    def _publish(self, action: Writing) -> None:
        """Has readers see the table; of an action that sees one drop at a time, all drops at once."""
        places, step = self.places, self.planned
        with wait_for_lease(places, places.layout.mart_lease(action.into), self.say):
            before = newest(places.fs, places.layout, action.into)
            ours = before is not None and (before.workflow, before.action) == (self.workflow, self.action)
            parts: tuple[MartPart, ...] = before.parts if before is not None and ours and self.build else ()
            steps = [step] if self.build else list(self.plan.outputs(self.action))
            for one in steps:
                parts = folded(parts, self._parts(action, one, before), action.mode)
            if step.state:
                self._require(set(parts) - set(before.parts if before is not None else ()))
                build = steps[-1].build
                entry = Mart(action.into, self.workflow, self.action, 0, step.state, build, step.key, now(), parts)
                publish_mart(places.fs, places.layout, entry)

    def _require(self, parts: Collection[MartPart]) -> None:
        """LandfallError if an output that readers are to see is gone: it was old, and swept in this moment."""
        for build in sorted({part.build for part in parts}):
            if not Dataset(self.places.fs, self.places.layout.action(self.workflow, self.action, build)).exists():
                raise LandfallError(
                    f"Build {build} of the {self.title} was swept meanwhile.", "Run the workflow again."
                )

    def _parts(self, action: Writing, step: Step, before: Mart | None) -> list[MartPart]:
        """What one output adds to the table."""
        feeds = tuple(sorted(step.feeds))
        if action.partition_by is None:
            return [MartPart(step.build, "", step.feed, step.drop, feeds)]
        known = [part for part in before.parts if part.build == step.build] if before is not None else []
        if known and step.drop:
            return known
        path = self.places.layout.action(self.workflow, self.action, step.build)
        start = f"{action.into}/{partition_of(action.partition_by)}="
        files = Dataset(self.places.fs, path).manifest().files
        partitions = sorted({name.split("/")[1] for name in files if name.startswith(start)})
        return [MartPart(step.build, partition, step.feed, step.drop, feeds) for partition in partitions]
