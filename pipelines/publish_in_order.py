"""PublishInOrder: the drops of a feed whose keys come once over all its drops, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

import luigi

from auth.gate import authorize
from conf.errors import AccessDenied
from pipelines.claims import waiting
from pipelines.context import context
from pipelines.output_task import refuse_fork
from pipelines.publish import Publish
from pipelines.telling import explain


class PublishInOrder(luigi.Task):
    """Publishes what waits of one feed in order of receipt: each drop is compared with those before it.

    One that is held or fails holds those behind it, and no other feed's. Luigi runs ``run()`` again from the top after
    each drop, so a drop's task is made, and asked for its build, only when those before it are published.
    """

    client = luigi.Parameter(description="the client's id")
    feed = luigi.Parameter(description="the feed's name")

    def run(self) -> Iterator[Publish]:
        """Publish of each drop that waits."""
        refuse_fork()
        authorize(self.client, "run", self.feed)
        for drop in waiting(context(self.client), self.feed):
            yield Publish(client=self.client, feed=self.feed, drop=drop.id)  # type: ignore[no-untyped-call]  # luigi's

    def complete(self) -> bool:
        """Whether no drop waits. To somebody who may not know some do, and ``run()`` refuses them."""
        try:
            authorize(self.client, "run", self.feed)
        except AccessDenied:
            return False
        return not waiting(context(self.client), self.feed)

    def on_failure(self, exception: BaseException) -> str:
        """What the scheduler page shows."""
        return explain(super().on_failure, exception)
