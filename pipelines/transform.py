"""Transform: the fetched pictures, decoded strictly and put through the feed's transforms."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines.fetch import Fetch
from pipelines.stage import Stage
from pipelines.validate import Validate
from spark_jobs import shards, transforms
from spark_jobs.shards import Written
from targets.dataset import Staging, kept
from targets.filesystem import LeaseHeld

if TYPE_CHECKING:
    from spark_jobs.making import Making

_IMAGES = "images"
# By task: shards that Fetch's workers made.
_MADE: dict[str, Sequence[Written]] = {}


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
        from spark_jobs.transform import TransformJob

        validated, fetched = (self.inputs[name].dataset for name in ("validate", "fetch"))
        there: dict[str, shards.Tally] = {}
        shards.count(place.fs, place.table(_IMAGES), there)
        if there:
            self.say(f"{shards.total(there).ok:,} pictures were made before")
        job = TransformJob(
            requests=place.fs.uri(validated.table("requests")),
            making=self._making(fetched.table("originals"), place.table(_IMAGES)),
            settled=place.table("settled"),
            report=self.progress(fetched.manifest().counts["ok"], "pictures"),
            made=_MADE.pop(self.task_id, ()),
        )
        counts, written = job.run(self.spark())
        return counts, {f"{_IMAGES}/{one.name}": one.sha256 for one in written}

    @contextlib.contextmanager
    def beforehand(self, originals: str) -> Iterator[Making | None]:
        """While Fetch works: how its workers make pictures of what they have just fetched. They lie where an
        attempt that was killed would have left them. None where there is nothing to make, or another run at it.

        Args:
            originals: path of Fetch's shards.
        """
        fs, images = self.places.fs, f"{kept(self.staging_path)}/{_IMAGES}"
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(fs.lease(self.lease_path, self.places.holder()))
            except LeaseHeld:
                yield None
            else:
                yield None if self.dataset.exists() else self._making(originals, images)

    def made(self, written: Sequence[Written]) -> None:
        """Is told which shards were made beforehand: this process need not read them again to know their digests."""
        _MADE[self.task_id] = [one for one in written if one.table == _IMAGES]

    def _making(self, originals: str, images: str) -> Making:
        from spark_jobs import early
        from spark_jobs.making import Making
        from spark_jobs.store import Destination

        places, transforms = self.places, self.dropped.images.transforms
        destination = Destination(places.settings, self.client, self.feed, self.drop, transforms, self.log)
        return Making(
            fs=places.fs,
            originals=originals,
            images=images,
            transforms=transforms,
            limits=places.settings.images,
            log=self.log,
            early=early.begin(places.fs, images, destination),
        )
