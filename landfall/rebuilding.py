"""Filling an image store again from the lake, and the proof that it holds what was published."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

from auth.gate import authorize
from conf.client import load_client
from landfall.star import open_pictures
from pipelines.context import Context, context
from spark_jobs.faults import translate
from spark_jobs.schemas import IMAGES
from spark_jobs.session import session
from spark_jobs.shards import Tally
from spark_jobs.store import Destination, StoreJob
from spark_jobs.stored import StoredJob
from spark_jobs.tables import read
from targets.dataset import Dataset, require
from targets.published import current, published_feeds
from targets.register import Drop, registered_drops

Report = Callable[[float, str], None]
"""Told the share that is done (0 to 1) and what is being done."""


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuilding came to.

    Attributes:
        drops: whose pictures were looked at.
        new, present: pictures that were put back, and that were there.
        wrong: pictures that the store does not hold as Transform made them; the run log names them.
        published: pictures that the star names.
        unmade: of those, the ones that no Transform output holds with that digest.
    """

    drops: int
    new: int
    present: int
    wrong: int
    published: int
    unmade: int

    @property
    def proved(self) -> bool:
        """Whether the store holds every picture that was published, as it was published."""
        return not self.wrong and not self.unmade


@dataclass(frozen=True)
class _Source:
    """One Transform output whose pictures were stored, or should have been."""

    drop: Drop
    dataset: Dataset
    pictures: int
    is_published: bool


def rebuild(client: str, feed: str | None, report: Report) -> Rebuilt:
    """Puts back what is missing from the client's image store, and compares all of it.

    What a Store stage ever finished is put back, as far as its Transform output is in the lake: so the store is what it
    was. A picture that is there is not changed.

    Args:
        feed: this feed only; None: every feed that the caller may act on.

    Raises:
        AccessDenied: the caller may not; nothing of the client's was read.
        NotFound: there is no such client, or the lake lacks what was published.
        StorageError, Damaged: of the store.
    """
    permit = authorize(client, "rebuild", feed)
    load_client(client)
    places = context(client)
    sources = sorted(_sources(places, permit.feeds), key=lambda one: (one.drop.received, one.drop.id))
    doing = f"rebuilding of the image store of {client}"
    try:
        return _rebuild(places, feed, sources, session(places.settings), report)
    except Exception as error:
        raise translate(error, doing) from error


def _rebuild(places: Context, feed: str | None, sources: list[_Source], spark: SparkSession, report: Report) -> Rebuilt:
    whole = 2 * sum(source.pictures for source in sources) or 1
    done = new = present = 0
    compared = Tally()

    def share(pictures: int, sentence: str, shards: int, of: int) -> None:
        report((done + pictures * shards / of) / whole, sentence)

    for source in sources:
        told = functools.partial(share, source.pictures, f"puts back drop {source.drop.id[:12]}")
        told(0, 1)
        inserted = _store_job(places, source, told).run(spark)
        new, present, done = new + inserted[0], present + inserted[1], done + source.pictures
    for source in sources:
        told = functools.partial(share, source.pictures, f"compares drop {source.drop.id[:12]}")
        told(0, 1)
        job = StoredJob(
            fs=places.fs,
            images=source.dataset.table("images"),
            settings=places.settings,
            client=places.client,
            log=places.log.bind(feed=source.drop.feed, drop=source.drop.id),
            report=told,
        )
        compared, done = compared.plus(job.run(spark)), done + source.pictures
    report(1, "compares with the star")
    published, unmade = _star(places, feed, sources, spark)
    drops = len({source.drop.id for source in sources})
    return Rebuilt(drops, new, present, compared.failed, published, unmade)


def _store_job(places: Context, source: _Source, told: Callable[[int, int], None]) -> StoreJob:
    drop = source.drop
    return StoreJob(
        fs=places.fs,
        images=source.dataset.table("images"),
        destination=Destination(
            places.settings,
            places.client,
            drop.feed,
            drop.id,
            drop.images.transforms,
            places.log.bind(feed=drop.feed, drop=drop.id),
        ),
        report=told,
    )


def _star(places: Context, feed: str | None, sources: list[_Source], spark: SparkSession) -> tuple[int, int]:
    """How many pictures the star names, and how many of them no published Transform output holds."""
    columns = ["image_id", "image_digest"]
    with open_pictures(places.client, "rebuild", feed) as star:
        named = star.spark("dim_image").select(*columns).distinct()
        uris = [places.fs.uri(source.dataset.table("images")) for source in sources if source.is_published]
        if not uris:
            return named.count(), named.count()
        made = read(spark, IMAGES, *uris).where(F.col("rule") == "ok").select(*columns).distinct()
        return named.count(), named.join(made, on=columns, how="left_anti").count()


def _sources(places: Context, feeds: frozenset[str] | None) -> Iterator[_Source]:
    """The Transform outputs that were stored; NotFound if a published one is gone."""
    fs, layout = places.fs, places.layout

    def mine(feed: str) -> bool:
        return feeds is None or feed in feeds

    published = {
        entry.drop: layout.stage("transform", entry.feed, entry.receipt, entry.drop, entry.stages["transform"])
        for entry in current(fs, layout, filter(mine, published_feeds(fs, layout)))
        if "transform" in entry.stages
    }
    for feed, drops in registered_drops(fs, layout).items():
        for id_ in sorted(drops) if mine(feed) else ():
            drop = places.drop(feed, id_)
            if drop.config.kind != "images":
                continue
            now_read = published.get(id_)
            paths = {path for path in _stored(places, drop) if path != now_read} | ({now_read} if now_read else set())
            for path in sorted(paths):
                dataset = Dataset(fs, path)
                counts = require(dataset, f"Transform of drop {id_[:12]}").counts
                yield _Source(drop, dataset, counts["ok"], path == now_read)


def _stored(places: Context, drop: Drop) -> Iterator[str]:
    """Paths of the drop's Transform outputs that a Store stage has read to its end."""

    def outputs(stage: Literal["store", "transform"]) -> list[Dataset]:
        place = places.layout.builds(stage, drop.feed, drop.receipt, drop.id)
        found = (Dataset(places.fs, f"{place}/{entry.name}") for entry in places.fs.list(place))
        return [dataset for dataset in found if dataset.exists()]

    stored = {dataset.manifest().inputs["transform"] for dataset in outputs("store")}
    if stored:
        yield from (made.path for made in outputs("transform") if made.manifest_digest() in stored)
