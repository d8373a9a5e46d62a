"""Store: the images into the image store, from Spark's Python workers, in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pybase64
from pyspark.sql import SparkSession

from conf.errors import NotFound
from conf.settings import Settings
from spark_jobs import shard_tasks, shards, tallies
from spark_jobs.progress import silent
from spark_jobs.tasks import watch_tasks
from targets.clock import now
from targets.filesystem import FileSystem
from targets.image_store import ImageDocument, ImageStore, open_store, takes_early
from targets.runlog import RunLog

# What says which pictures a shard has; of so many shards it is read where the job begins.
_NAMED = ["image_id", "rule"]
_FEW_SHARDS = 400


@dataclass(frozen=True)
class Destination:
    """Where one drop's images go, and as whose. Picklable.

    Attributes:
        transforms: names of what was done to each picture, in order.
    """

    settings: Settings
    client: str
    feed: str
    drop: str
    transforms: tuple[str, ...]
    log: RunLog

    def open(self, prepare: bool = False) -> ImageStore:
        """The image store, as ``open_store`` has it."""
        return open_store(self.settings, self.client, prepare, self.log.warning)

    def documents(self, rows: Iterable[Mapping[str, Any]]) -> list[ImageDocument]:
        """The pictures of rows of IMAGES that are ``ok``: in memory twice then, once as base64."""
        inserted = now()
        return [
            ImageDocument(
                id=row["image_id"],
                image=pybase64.b64encode_as_string(row["content"]),
                digest=row["image_digest"],
                original=row["original_id"],
                width=row["width"],
                height=row["height"],
                format=row["format"],
                bytes=row["bytes"],
                source=row["url"],
                inserted=inserted,
                client=self.client,
                feed=self.feed,
                drop=self.drop,
                transforms=self.transforms,
            )
            for row in rows
        ]


@dataclass(frozen=True)
class StoreJob:
    """One drop's images.

    Attributes:
        images: path of Transform's shards.
        report: told (shards done, shards in all) while the job runs.
    """

    fs: FileSystem
    images: str
    destination: Destination
    report: Callable[[int, int], None] = silent

    def run(self, spark: SparkSession) -> tuple[int, int]:
        """Inserts every image; returns how many the store did not have, and how many it had."""
        self.destination.open(prepare=True).close()
        names, there = self._lacking(shards.finished(self.fs, self.images))
        with watch_tasks(spark, lambda done: self.report(done, len(names))):
            written = shard_tasks.each(spark, names, self._worker())
        sums = tallies.total({one.name: one.tally for one in written})
        return sums.ok, there + sums.failed

    def _lacking(self, names: list[str]) -> tuple[list[str], int]:
        """The shards of which the store may lack a picture, and how many pictures the others have.

        Where workers handed their pictures on that is hardly any: ids are looked for here, as many as fit.
        """
        if not takes_early(self.destination.settings) or len(names) > _FEW_SHARDS:
            return names, 0
        lacking, there = [], 0
        with self.destination.open() as store:
            for name in names:
                with self.fs.open(f"{self.images}/{name}") as opened:
                    ids = _ids(pq.ParquetFile(opened).read(_NAMED, use_threads=False))
                if _missing_of(ids, store):
                    lacking.append(name)
                else:
                    there += len(ids)
        return lacking, there

    def _worker(self) -> Callable[[str], list[shards.Written]]:
        job = replace(self, report=silent)  # who is told is of this process, and no worker's

        def work(name: str) -> list[shards.Written]:
            with job.destination.open() as store:
                new = job.put(name, store)
            present = shards.tally_of(job.fs, f"{job.images}/{name}").ok - new
            job.destination.log.info("shard stored", shard=name, new=new, present=present)
            return [shards.Written(name, "", shards.Tally(new, present))]

        return work

    def put(self, name: str, store: ImageStore) -> int:
        """Inserts a shard's pictures as far as they are missing; returns how many the store did not have."""
        return sum(store.insert(batch).new for batch in self._missing(name, store))

    def put_rows(self, name: str, rows: Sequence[Mapping[str, Any]], store: ImageStore) -> int:
        """As ``put``, of a shard whose rows with a picture are all at hand."""
        missing = _missing_of([row["image_id"] for row in rows], store)
        new = store.insert(self.destination.documents(row for row in rows if row["image_id"] in missing)).new
        with suppress(NotFound), self.fs.open(f"{self.images}/{name}") as opened:  # it may have been taken on by now
            file = pq.ParquetFile(opened)
            for number in range(file.num_row_groups):
                self._forget(name, file, number)
        return new

    def _missing(self, name: str, store: ImageStore) -> Iterator[list[ImageDocument]]:
        """A shard's pictures that the store is not known to have, by row group, each of bounded rows and bytes: the
        more in one commit, the fewer waits for the disk. They are in memory three times, once as base64.
        """
        with self.fs.open(f"{self.images}/{name}") as opened:
            file = pq.ParquetFile(opened)
            for number in range(file.num_row_groups):
                missing = _missing_of(_ids(file.read_row_group(number, columns=_NAMED, use_threads=False)), store)
                if missing:
                    rows = file.read_row_group(number, use_threads=False).to_pylist()
                    yield self.destination.documents(row for row in rows if row["image_id"] in missing)
                self._forget(name, file, number)

    def _forget(self, name: str, file: pq.ParquetFile, row_group: int) -> None:
        """The pictures alone: the star is made of the other columns."""
        column = file.metadata.row_group(row_group).column(file.schema_arrow.get_field_index("content"))
        self.fs.forget(f"{self.images}/{name}", column.data_page_offset, column.total_compressed_size)


def _ids(rows: pa.Table) -> list[str]:
    """The ids of the pictures among rows of IMAGES; equal pictures have one, each time."""
    ids: list[str] = rows.filter(pc.equal(rows["rule"], "ok"))["image_id"].to_pylist()
    return ids


def _missing_of(ids: Sequence[str], store: ImageStore) -> set[str]:
    return set(ids) - store.present(ids)
