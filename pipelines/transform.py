"""Transform: the fetched pictures, decoded strictly and put through the feed's transforms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from conf.errors import LandfallError
from pipelines import beforehand
from pipelines.fetch import Fetch
from pipelines.stage import Stage
from pipelines.validate import Validate
from spark_jobs import transforms
from spark_jobs.shards import Written
from targets.dataset import Staging
from targets.filesystem import LeaseHeld

if TYPE_CHECKING:
    from spark_jobs.making import Making

_IMAGES = "images"
_AGAIN = "pictures are made again"


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
        said = fetched.manifest()
        job = TransformJob(
            requests=place.fs.uri(validated.table("requests")),
            originals={
                name.removeprefix("originals/"): file["sha256"]
                for name, file in said.files.items()
                if name.startswith("originals/")
            },
            making=self._making(fetched.table("originals"), place.table(_IMAGES)),
            settled=place.table("settled"),
            report=self.progress(said.counts["ok"], "pictures"),
            say=self.say,
            made=beforehand.told(place.fs, self.staging_path),
        )
        counts, written = job.run(self.spark())
        return counts, {f"{_IMAGES}/{one.name}": one.sha256 for one in written}

    def beforehand(self, originals: str, place: str) -> Making | None:
        """How Fetch's workers make this stage's pictures of what they have just fetched; None if the output is there.

        Args:
            originals: path of Fetch's shards.
            place: path of a directory of Fetch's own, for a directory of pictures that ``take`` takes.
        """
        if self.dataset.exists():
            return None
        return self._making(originals, f"{place}/{self.stage}.{self.build}")

    def take(self, made: Making, written: Sequence[Written]) -> None:
        """Takes what was made beforehand, once all is fetched. What cannot be taken is made again.

        Args:
            made: how, and where.
            written: shards whose digests are known: nobody need read them.
        """
        fs = self.places.fs
        try:
            # Nobody sweeps while they come, and nobody who makes this stage's output meets them in its midst.
            with fs.lease(self.lease_path, self.places.holder()):
                beforehand.hand_over(fs, made.images, self.staging_path, _IMAGES, written)
        except LeaseHeld as other:
            self.log.warning(_AGAIN, error=f"the stage's lease is held by {other.holder}")
        except LandfallError as fault:
            self.log.warning(_AGAIN, error=str(fault))

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
