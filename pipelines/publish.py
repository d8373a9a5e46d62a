"""Publish: the proof, the receipt, the rejects; then readers see the drop and its client hears of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipelines import side_by_side
from pipelines.answering import KINDS, Kind
from pipelines.claims import RECEIPT, REJECTS, acknowledge
from pipelines.land import Land, read_index
from pipelines.output_task import forked
from pipelines.stage import Stage
from spark_jobs import receipt
from spark_jobs.proof import prove
from spark_jobs.session.properties import scratch
from targets.clock import now
from targets.dataset import Staging
from targets.published import of, publish


class Publish(Stage):
    """Output: ``receipt/receipt.json`` and ``receipt/rejects.csv``; done when the published entry is there."""

    stage = "publish"

    def requires(self) -> list[Stage]:
        """Every stage of a drop of its kind: what is published names the build of each."""
        return self.upstream(Land, *self._kind.stages)

    def at_once(self) -> None:
        """Has those stages that need nothing of each other work side by side, in this process."""
        if not forked() and not self.places.settings.spark.remote:  # a fault of one gives up a server's session for all
            side_by_side.together(*self.upstream(*self._kind.at_once))

    def settings_read(self) -> Mapping[str, Any]:
        return {}

    def is_done(self) -> bool:
        """Whether readers see this build."""
        if not self.dataset.exists():
            return False
        seen = of(self.places.fs, self.places.layout, self.feed, self.drop)
        return seen is not None and seen.build == self.build and seen.revision >= self.dropped.revision

    def make(self) -> None:
        """Makes the receipt, publishes, and answers the uploads that brought the drop."""
        super().make()
        builds: dict[str, str] = {task.stage: task.build for task in (self, *self.requires())}
        publish(self.places.fs, self.places.layout, self.dropped, self.build, builds)
        acknowledge(self.places, {self.feed}, self.drop)

    def work(self, place: Staging) -> tuple[Mapping[str, int], Mapping[str, str]]:
        land = self.inputs["land"].dataset
        landed, index = land.manifest().counts, read_index(land)
        answering = self._kind.answering(self, index)
        self.step(0, 3, f"proves {landed['lines']:,} lines")
        proof = prove(self.workers(), answering.ledger, landed["lines"])
        self.step(1, 3, "writes the rejected rows")
        with place.fs.writer(f"{place.path}/{REJECTS}") as file:
            rejected = answering.rejected.write(file, proof.quarantined, str(scratch(self.places.settings)))
        self.step(2, 3, "writes the receipt")
        answer = receipt.published(
            self.dropped,
            proof,
            blank=landed["blank"],
            counts=answering.counts,
            details=answering.details,
            published_at=now(),
            rejects="rejects.csv" if rejected else None,
        )
        place.fs.create(f"{place.path}/{RECEIPT}", json.dumps(answer, indent=1, ensure_ascii=False).encode())
        counts = {"lines": proof.lines, "ok": proof.ok, "quarantined": proof.quarantined, "duplicate": proof.duplicate}
        return counts, {}

    @property
    def _kind(self) -> Kind:
        return KINDS[self.dropped.config.kind]
