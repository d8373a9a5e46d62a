"""Fetch: the pictures that the accepted lines name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.stage import Stage
from pipelines.validate import Validate
from spark_jobs import shards
from spark_jobs.session import tasks_at_once
from targets.dataset import Staging


class Fetch(Stage):
    """Output: ``originals`` (schemas.ORIGINALS, in shards), ``settled`` (schemas.SETTLED)."""

    stage = "fetch"
    resumable = True

    def requires(self) -> list[Stage]:
        """Validate."""
        return self.upstream(Validate)

    def settings_read(self) -> Mapping[str, Any]:
        # Patience and politeness (timeouts, attempts, concurrency) are left out: an operator may change them for a
        # drop that is held without losing what is fetched.
        web, feed = self.places.settings.web, self.dropped.images
        return {
            "sources": feed.sources,
            "redirects": feed.redirects,
            "web": web.model_dump(mode="json", include={"max_bytes", "max_redirects", "ports", "allow_addresses"}),
        }

    def work(self, place: Staging) -> tuple[Mapping[str, int], Mapping[str, str]]:
        from spark_jobs.fetch import FetchJob
        from spark_jobs.web.policy import WebPolicy

        settings, feed, validated = self.places.settings, self.dropped.images, self.inputs["validate"].dataset
        spark = self.spark()
        requests = validated.manifest().counts["requests"]
        kept: dict[str, shards.Tally] = {}
        shards.count(place.fs, place.table("originals"), kept)
        if kept:
            self.say(f"goes on where an earlier run stopped: {shards.total(kept).ok:,} pictures are there")
        job = FetchJob(
            fs=place.fs,
            requests=validated.table("requests"),
            originals=place.table("originals"),
            settled=place.table("settled"),
            policy=WebPolicy.of(feed, settings.web, tasks_at_once(spark)),
            max_transient=feed.max_transient,
            log=self.log,
            report=self.progress(requests, "pictures"),
        )
        counts, digests = job.run(spark)
        return counts, {f"originals/{name}": digest for name, digest in digests.items()}
