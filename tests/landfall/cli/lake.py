"""States of a lake, made by hand: what stages and runs leave behind."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from conf.feeds import ImagesFeed
from conf.settings import load_settings
from spark_jobs.schemas import ORIGINALS
from spark_jobs.shards import write_shard
from targets.dataset import Dataset, Manifest, kept, staging
from targets.filesystem import FileSystem
from targets.flock import HeldByKernel
from targets.journal import Journal
from targets.lake import client_layout, open_lake
from targets.layout import STAGES, ClientLayout, Stage
from targets.published import publish
from targets.register import Drop, register
from tests.drop_tables import drop, original

BUILD = "b0123456789ab"


class Lake:
    """The lake of client demo."""

    def __init__(self) -> None:
        settings = load_settings()
        self.fs: FileSystem = open_lake(settings)
        self.layout: ClientLayout = client_layout(settings, "demo")
        self.journal = Journal(settings.log_root / "demo" / "journal.jsonl")

    def register(self, content: str = "bytes", **overrides: object) -> Drop:
        config = ImagesFeed(kind="images", sources=("127.0.0.1:8200",))
        return register(self.fs, self.layout, drop(**{"content": content, "config": config, **overrides}))

    def dataset(self, dropped: Drop, stage: Stage) -> Dataset:
        return Dataset(self.fs, self.layout.stage(stage, dropped.feed, dropped.receipt, dropped.id, BUILD))

    def make(self, dropped: Drop, stage: Stage, **counts: int) -> None:
        """The stage's output without its tables, as a run leaves it that was killed before it could journal the end."""
        with staging(
            self.dataset(dropped, stage),
            self.layout.staging(stage, dropped.feed, dropped.id, BUILD),
            resumable=False,
            lease=HeldByKernel(),
        ) as place:
            place.seal(
                Manifest(
                    stage=stage,
                    build=BUILD,
                    client="demo",
                    feed=dropped.feed,
                    drop=dropped.id,
                    logic=1,
                    settings={},
                    inputs={},
                    counts=counts,
                    times={"seconds": 1.5},
                    versions={},
                )
            )

    def begin(self, dropped: Drop, stage: Stage) -> None:
        """The journal's line of an attempt that began."""
        self.journal.path.parent.mkdir(parents=True, exist_ok=True)
        self.journal._append({"event": "started", **self._what(dropped, stage)})

    def finish(self, dropped: Drop, stage: Stage, **counts: int) -> None:
        """A whole attempt."""
        with self.journal.attempt(**self._what(dropped, stage)) as result:
            self.make(dropped, stage, **counts)
            result["counts"] = counts

    def fail(self, dropped: Drop, stage: Stage, error: BaseException) -> None:
        """An attempt that ends with an error."""
        try:
            with self.journal.attempt(**self._what(dropped, stage)):
                raise error
        except type(error):
            return

    def shard(self, dropped: Drop, name: str, ok: int, failed: int) -> None:
        """A shard that Fetch has finished, in staging."""
        place = kept(self.layout.staging("fetch", dropped.feed, dropped.id, BUILD))
        rows = [original(line) for line in range(ok)]
        rows += [original(ok + line, rule="fetch.status", content=None) for line in range(failed)]
        write_shard(
            self.fs, f"{place}/originals/{name}.parquet", ORIGINALS, iter([_whole(ORIGINALS, row) for row in rows])
        )

    def publish(self, dropped: Drop, **counts: int) -> None:
        """All of a drop."""
        for stage in STAGES:
            self.finish(dropped, stage, **(counts if stage == "publish" else {}))
        publish(self.fs, self.layout, dropped, BUILD, dict.fromkeys(STAGES, BUILD))

    def lease(self, dropped: Drop, stage: Stage) -> str:
        return self.layout.stage_lease(stage, dropped.feed, dropped.id, BUILD)

    @staticmethod
    def _what(dropped: Drop, stage: Stage) -> dict[str, str]:
        return {
            "run": "20260301T100000-abc123",
            "feed": dropped.feed,
            "drop": dropped.id,
            "stage": stage,
            "build": BUILD,
        }


def _whole(schema: pa.Schema, row: object) -> dict[str, object]:
    return {**dict.fromkeys(schema.names), **dict(row)}  # type: ignore[call-overload]


def incoming(house: Path, feed: str = "photos") -> Path:
    """The feed's incoming directory of client demo."""
    place = house / "home" / "landing" / "demo" / "incoming" / feed
    place.mkdir(parents=True, exist_ok=True)
    return place
