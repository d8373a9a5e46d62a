"""RunWorkflow: one workflow, by hand or after the drops that it follows."""

from __future__ import annotations

import ctypes
import functools
import multiprocessing
from collections.abc import Iterator

import luigi

from auth.gate import authorize
from pipelines import side_by_side
from pipelines.action import Action
from pipelines.context import context, run_id
from pipelines.followed import follow, news
from pipelines.output_task import forked, refuse_fork
from pipelines.plan import Plan
from pipelines.planner import plan_of
from pipelines.superseded import sweep_superseded
from pipelines.telling import explain
from pipelines.workflows import refuse_beyond
from spark_jobs.session import session


class RunWorkflow(luigi.Task):
    """Makes what is not made yet of a workflow's tables; what nothing changed for is left as it is."""

    client = luigi.Parameter(description="the client's id")
    name = luigi.Parameter(description="the workflow's name")
    if_news = luigi.BoolParameter(default=False, description="only if drops that it follows are new, or it has changed")

    priority = -1  # drops that are being published go first

    def run(self) -> Iterator[list[Action]]:
        """Authorize, plan, make what is missing, remember what was followed, sweep what is needed no more."""
        refuse_fork()
        permit = authorize(self.client, "run")
        places = context(self.client)
        if self.if_news and not self._follows:
            self._settled.value = True
            return
        _ = self._follows  # looked at before the plan is made: what comes later is news to the next run
        refuse_beyond(permit, self._plan.all_feeds(), f"workflow {self.name}")
        yield self._missing
        follow(places, self.name, self._follows)
        sweep_superseded(places, self._plan)
        self._settled.value = True

    @functools.cached_property
    def _follows(self) -> str:
        """What this run follows, as it was when the run began; empty: nothing is new."""
        return news(context(self.client), self.name)

    @functools.cached_property
    def _plan(self) -> Plan:
        return plan_of(self.client, self.name, afresh=True)

    @functools.cached_property
    def _missing(self) -> list[Action]:
        """The actions that have something to do; they are begun here, where one process does all."""
        steps = self._plan.steps.items()
        tasks = [
            (step.stage, Action(client=self.client, workflow=self.name, action=action, drop=drop))  # type: ignore[no-untyped-call]
            for (action, drop), step in steps
            if not self._plan.is_seen(action, drop)
        ]
        missing = [(stage, task) for stage, task in tasks if not task.is_done()]
        if missing and not forked():
            session(context(self.client).settings)  # one session, started before the threads that share it
            stages = [[task for of, task in missing if of == stage] for stage in sorted({of for of, _ in missing})]
            side_by_side.begin(stages, self._plan.workflow.workers)
        return [task for _, task in missing]

    def complete(self) -> bool:
        """Whether this run has found nothing left to do; the next run looks afresh."""
        run_id()
        return bool(self._settled.value)

    @functools.cached_property
    def _settled(self) -> ctypes.c_bool:
        """Whether the run is done: in memory that a worker process shares with Luigi's own, which asks on."""
        return multiprocessing.RawValue(ctypes.c_bool, False)

    def on_failure(self, exception: BaseException) -> str:
        """What the scheduler page shows."""
        return explain(super().on_failure, exception)
