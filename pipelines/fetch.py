"""Fetch: the pictures that the accepted lines name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.stage import Stage
from pipelines.validate import Validate
from spark_jobs import tallies
from spark_jobs.session import tasks_at_once
from spark_jobs.shards import Tally
from targets.dataset import Staging

_ORIGINALS = "originals"


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
        # Transform is below this stage, and reads it.
        from pipelines.transform import Transform
        from spark_jobs.fetch import FetchJob
        from spark_jobs.web.policy import WebPolicy

        settings, feed, validated = self.places.settings, self.dropped.images, self.inputs["validate"].dataset
        spark = self.spark()
        requests = validated.manifest().counts["requests"]
        there: dict[str, Tally] = {}
        tallies.count(place.fs, place.table(_ORIGINALS), there)
        if there:
            self.say(f"goes on where an earlier run stopped: {tallies.total(there).ok:,} pictures are there")
        transform: Transform = self.clone(Transform)  # type: ignore[no-untyped-call]  # luigi's
        making = transform.beforehand(place.table(_ORIGINALS), self.staging_path)
        job = FetchJob(
            fs=place.fs,
            requests=validated.table("requests"),
            originals=place.table(_ORIGINALS),
            settled=place.table("settled"),
            policy=WebPolicy.of(feed, settings.web, tasks_at_once(spark)),
            max_transient=feed.max_transient,
            log=self.log,
            report=self.progress(requests, "pictures"),
            making=making,
        )
        counts, written = job.run(spark)
        if making is not None:
            place.lease.check()
            transform.take(making, [one for one in written if one.directory != _ORIGINALS])
        return counts, {f"{_ORIGINALS}/{one.name}": one.sha256 for one in written if one.directory == _ORIGINALS}
