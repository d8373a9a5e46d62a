"""Transform: the fetched pictures, decoded strictly and put through the feed's transforms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.fetch import Fetch
from pipelines.stage import Stage
from pipelines.validate import Validate
from spark_jobs import transforms
from targets.dataset import Staging


class Transform(Stage):
    """Output: ``images`` (schemas.IMAGES, in shards), ``settled`` (schemas.SETTLED)."""

    stage = "transform"
    resumable = True

    def requires(self) -> list[Stage]:
        """Validate and Fetch."""
        return self.upstream(Validate, Fetch)

    def settings_read(self) -> Mapping[str, Any]:
        limits = self.places.settings.images
        made_by = transforms.digest(transforms.load(self.dropped.images.transforms), limits)
        return {"transforms": made_by, "max_pixels": limits.max_pixels}

    def work(self, place: Staging) -> tuple[Mapping[str, int], Mapping[str, str]]:
        from spark_jobs import early
        from spark_jobs.store import Destination
        from spark_jobs.transform import TransformJob

        settings, inputs = self.places.settings, self.inputs
        validated, fetched = inputs["validate"].dataset, inputs["fetch"].dataset
        transforms = self.dropped.images.transforms
        destination = Destination(settings, self.client, self.feed, self.drop, transforms, self.log)
        job = TransformJob(
            fs=place.fs,
            requests=place.fs.uri(validated.table("requests")),
            originals=fetched.table("originals"),
            images=place.table("images"),
            settled=place.table("settled"),
            transforms=transforms,
            limits=settings.images,
            log=self.log,
            report=self.progress(fetched.manifest().counts["ok"], "pictures"),
            early=early.begin(place.fs, place.table("images"), destination),
        )
        counts, digests = job.run(self.spark())
        return counts, {f"images/{name}": digest for name, digest in digests.items()}
