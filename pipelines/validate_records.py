"""Validate of a feed of records: every line parsed, checked and deduplicated."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from conf.errors import DropHeld
from pipelines.land import Land, bytes_of, read_index
from pipelines.stage import Stage
from spark_jobs.records import Earlier, validate_records
from targets.dataset import Dataset, Staging
from targets.published import Published, current, published_drops
from targets.register import drops_of

_SHORT = 12
# What others read of the feed's configuration: how uploads are taken, and how the star is laid out and read.
_OF_OTHERS: Any = {
    **dict.fromkeys(("complete", "settle_seconds", "on_redrop", "partition_by", "period"), True),
    "columns": {"__all__": {"dimension"}},
}


class ValidateRecords(Stage):
    """Output: ``records``, ``settled``, ``warnings`` (spark_jobs.records.shape) and ``profile/profile.json``."""

    stage = "validate"

    def requires(self) -> list[Stage]:
        """Land."""
        return self.upstream(Land)

    def settings_read(self) -> Mapping[str, Any]:
        """The feed's configuration and, where a key may come once over all drops, which were compared."""
        feed = self.dropped.records.model_dump(mode="json", exclude=_OF_OTHERS)
        earlier = [[entry.drop, entry.stages["validate"]] for entry in self._earlier]
        return {"lines": self.places.settings.lines.model_dump(), "feed": feed, "earlier": earlier}

    def work(self, place: Staging) -> tuple[Mapping[str, int], Mapping[str, str]]:
        self._wait_for_earlier()
        settings, land = self.places.settings, self.inputs["land"].dataset
        index = read_index(land)
        counts = validate_records(
            self.spark(),
            land.fs,
            index,
            bytes_of(index, land.path),
            place.path,
            self.dropped,
            settings,
            self.step,
            [Earlier(entry.drop, self._validated(entry).table("records")) for entry in self._earlier],
        )
        return counts._asdict(), {}

    @functools.cached_property
    def _earlier(self) -> list[Published]:
        """The published drops of the feed that this one is compared with, in order of receipt."""
        if self.dropped.records.unique != "always":
            return []
        mine = self.dropped.received, self.drop
        seen = current(self.places.fs, self.places.layout, [self.feed])
        return sorted((one for one in seen if order(one) < mine), key=order)

    def _wait_for_earlier(self) -> None:
        """Holds the drop until those that were received before it are published: it is compared with them."""
        if self.dropped.records.unique != "always":
            return
        fs, layout, mine = self.places.fs, self.places.layout, (self.dropped.received, self.drop)
        others = drops_of(fs, layout, self.feed) - published_drops(fs, layout, self.feed)
        for other in sorted(others - {self.drop}):
            if (self.places.drop(self.feed, other).received, other) < mine:
                raise DropHeld(
                    f"Keys of feed {self.feed} come once over all its drops, and drop {other[:_SHORT]}, which was "
                    "received before, is not published.",
                    "See what holds that one (`landfall status`); this one follows it.",
                )

    def _validated(self, entry: Published) -> Dataset:
        layout = self.places.layout
        build = entry.stages["validate"]
        return Dataset(self.places.fs, layout.stage("validate", entry.feed, entry.receipt, entry.drop, build))


def order(entry: Published) -> tuple[Any, str]:
    """The order of receipt, the same for everybody."""
    return entry.received, entry.drop
