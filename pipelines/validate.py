"""Validate: every line parsed, checked and deduplicated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.land import Land, bytes_of, read_index
from pipelines.stage import Stage
from spark_jobs.urls import UrlPolicy
from spark_jobs.validate import validate
from targets.dataset import Staging


class Validate(Stage):
    """Output: ``requests`` (schemas.REQUESTS), ``settled`` (schemas.SETTLED)."""

    stage = "validate"

    def requires(self) -> list[Stage]:
        """Land."""
        return self.upstream(Land)

    def settings_read(self) -> Mapping[str, Any]:
        settings, feed = self.places.settings, self.dropped.images
        return {
            "lines": settings.lines.model_dump(),
            "ports": settings.web.ports,
            "sources": feed.sources,
            "size": feed.size,
        }

    def work(self, place: Staging) -> tuple[Mapping[str, int], Mapping[str, str]]:
        settings, land = self.places.settings, self.inputs["land"].dataset
        index = read_index(land)
        counts = validate(
            self.workers(),
            land.fs,
            index,
            bytes_of(index, land.path),
            place.path,
            UrlPolicy.of(self.dropped.images, settings),
            settings.lines.max_bytes,
            settings.spark.shard_rows,
            self.step,
        )
        return counts._asdict(), {}
