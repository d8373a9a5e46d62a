"""Publish: the proof, the receipt, the rejects; then readers see the drop and its client hears of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipelines.claims import RECEIPT, REJECTS, acknowledge
from pipelines.fetch import Fetch
from pipelines.land import Land, read_index
from pipelines.load import Load, star_inputs
from pipelines.stage import Stage
from pipelines.store import Store
from pipelines.transform import Transform
from pipelines.validate import Validate
from spark_jobs import receipt
from spark_jobs.fields import column_names
from spark_jobs.index import Index
from spark_jobs.proof import prove
from spark_jobs.rejects import ADDED
from targets.clock import now
from targets.dataset import Staging
from targets.published import of, publish


class Publish(Stage):
    """Output: ``receipt/receipt.json`` and ``receipt/rejects.csv``; done when the published entry is there."""

    stage = "publish"

    def requires(self) -> list[Stage]:
        """Every stage: what is published names the build of each."""
        return self.upstream(Land, Validate, Fetch, Transform, Store, Load)

    def settings_read(self) -> Mapping[str, Any]:
        return {}

    def is_done(self) -> bool:
        """Whether readers see this build."""
        if not self.dataset.exists():
            return False
        seen = of(self.places.fs, self.places.layout, self.feed, self.drop)
        return seen is not None and seen.build == self.build

    def run(self) -> None:
        """Makes the receipt, publishes, and answers the uploads that brought the drop."""
        super().run()
        builds: dict[str, str] = {task.stage: task.build for task in (self, *self.requires())}
        publish(self.places.fs, self.places.layout, self.dropped, self.build, builds)
        acknowledge(self.places, {self.feed}, self.drop)

    def work(self, place: Staging) -> tuple[Mapping[str, int], Mapping[str, str]]:
        spark, inputs = self.spark(), star_inputs(self)
        land, load = self.inputs["land"].dataset, self.inputs["load"].dataset
        landed = land.manifest().counts
        self.step(0, 3, f"proves {landed['lines']:,} lines")
        proof = prove(spark, landed["lines"], inputs, load.fs.uri(load.table("fact_image_request")))
        self.step(1, 3, "writes the rejected rows")
        index = read_index(land)
        with place.fs.writer(f"{place.path}/{REJECTS}") as file:
            rejected = receipt.rejects(spark, inputs, len(index.entries) > 1, _header(index), file)
        self.step(2, 3, "writes the receipt")
        answer = receipt.published(
            self.dropped,
            proof,
            blank=landed["blank"],
            images=load.manifest().counts["images"],
            published_at=now(),
            rejects="rejects.csv" if rejected else None,
        )
        place.fs.create(f"{place.path}/{RECEIPT}", json.dumps(answer, indent=1, ensure_ascii=False).encode())
        counts = {"lines": proof.lines, "ok": proof.ok, "quarantined": proof.quarantined, "duplicate": proof.duplicate}
        return counts, {}


def _header(index: Index) -> list[str] | None:
    """The feed's own columns in the order in which they came, or None where no file has a header."""
    columns = [name for entry in index.entries for name in column_names(entry) if name not in ADDED]
    return list(dict.fromkeys(columns)) or None
