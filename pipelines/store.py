"""Store: the images into the client's image store, a copy that can be rebuilt from the lake at any time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.stage import Stage
from pipelines.transform import Transform
from spark_jobs.store import Destination, StoreJob
from targets.dataset import Staging


class Store(Stage):
    """Output: counts alone, which do not depend on what the store held before."""

    stage = "store"

    def requires(self) -> list[Stage]:
        """Transform."""
        return self.upstream(Transform)

    def settings_read(self) -> Mapping[str, Any]:
        return {}

    def work(self, place: Staging) -> tuple[Mapping[str, int], Mapping[str, str]]:
        transformed = self.inputs["transform"].dataset
        counts = transformed.manifest().counts
        self.step(0, 1, f"puts {counts['ok']:,} pictures into the image store")
        job = StoreJob(
            fs=place.fs,
            images=transformed.table("images"),
            destination=Destination(
                self.places.settings, self.client, self.feed, self.drop, self.dropped.images.transforms, self.log
            ),
            report=self._report,
        )
        new, present = job.run(self.spark())
        self.log.info("images stored", new=new, present=present)
        self.step(1, 1, f"{new:,} pictures are new in the image store, {present:,} were there already")
        return {"images": counts["ok"], "distinct": counts["distinct"]}, {}

    def _report(self, done: int, total: int) -> None:
        self.step(done, total, f"{done:,} of {total:,} shards of pictures are in the image store")
