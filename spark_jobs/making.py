"""Pictures made of a shard of originals, in one of Spark's Python workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow.parquet as pq

from conf.settings import Images
from spark_jobs import early, shards
from spark_jobs.images.make import make
from spark_jobs.kept import Row, write_and_keep
from spark_jobs.schemas import IMAGES
from spark_jobs.shards import Written
from spark_jobs.store import StoreJob
from spark_jobs.transforms import digest, image_id, load
from targets.filesystem import FileSystem
from targets.runlog import RunLog

# Rows decoded from Parquet at a time: each holds one original, of at most ``web.max_bytes``.
_BATCH_ROWS = 16
_DIGITS = 16
_READ = ["entry", "line", "url", "width", "height", "rule", "original_id", "content"]


def name_of_pictures(name: str, sha256: str) -> str:
    """File name of the pictures of a finished shard of originals.

    Pictures are made before their originals are put in place: those of originals that never were have another name.

    Args:
        name: of the shard of originals.
        sha256: of its file.
    """
    return f"{name.removesuffix('.parquet')}-{sha256[:_DIGITS]}.parquet"


@dataclass(frozen=True)
class Making:
    """How one drop's pictures are made. Picklable.

    Attributes:
        originals: path of Fetch's shards.
        images: path of the directory that takes the shards of pictures; one that is there is kept.
        transforms: names, in order.
        early: takes the pictures before Store asks for them (``early.begin``).
    """

    fs: FileSystem
    originals: str
    images: str
    transforms: tuple[str, ...]
    limits: Images
    log: RunLog
    early: StoreJob | None = None

    def make(self, name: str, sha256: str, originals: Sequence[Row] = ()) -> Written:
        """Makes the pictures of a finished shard.

        Args:
            name: of the shard of originals.
            sha256: of its file.
            originals: its rows with a picture (of ORIGINALS) where they are at hand: it is not read then.
        """
        rows = _made(originals or self._read(name), self.transforms, self.limits)
        path = f"{self.images}/{name_of_pictures(name, sha256)}"
        if self.early is None:
            written = shards.write_shard(self.fs, path, IMAGES, rows)
        else:
            written, kept = write_and_keep(self.fs, path, IMAGES, rows) or (shards.written_before(self.fs, path), ())
            early.hand_on(self.early, written, kept)
        self.fs.forget(f"{self.originals}/{name}")
        self.log.info("shard transformed", shard=name, ok=written.tally.ok, failed=written.tally.failed)
        return written

    def _read(self, name: str) -> Iterator[Row]:
        with self.fs.open(f"{self.originals}/{name}") as file:
            shard = pq.ParquetFile(file)
            for number in range(shard.num_row_groups):  # one by one: a batch would take rows of several
                batches = shard.iter_batches(_BATCH_ROWS, row_groups=[number], columns=_READ, use_threads=False)
                for batch in batches:
                    yield from batch.to_pylist()


def _made(originals: Iterable[Row], names: tuple[str, ...], limits: Images) -> Iterator[Row]:
    """Rows of IMAGES from those of ORIGINALS."""
    transforms = load(names)
    made_by = digest(transforms, limits)
    for row in originals:
        if row["rule"] != "ok":
            continue
        made = make(row["content"], (row["width"], row["height"]), transforms, limits)
        yield {
            "entry": row["entry"],
            "line": row["line"],
            "url": row["url"],
            "rule": made.rule,
            "value": made.value,
            "message": made.message,
            "original_id": row["original_id"],
            "original_bytes": len(row["content"]),
            "original_width": made.original_width,
            "original_height": made.original_height,
            "original_format": made.original_format,
            "image_id": image_id(row["original_id"], made_by) if made.content else None,
            "image_digest": made.digest,
            "width": made.width,
            "height": made.height,
            "format": made.format,
            "bytes": len(made.content) if made.content else None,
            "transforms": made_by,
            "content": made.content,
        }
