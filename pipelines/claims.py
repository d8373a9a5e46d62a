"""Uploads: claimed and registered when a run begins, answered when their drop is settled. Each step may be repeated."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from auth.gate import Permit
from conf.feeds import ImagesFeed
from pipelines.context import Context
from pipelines.telling import tell
from pipelines.waiting import wait_for_lease
from spark_jobs import receipt
from spark_jobs.transforms import load
from targets.dataset import Dataset
from targets.landing import Claim
from targets.published import Published, of, published_drops
from targets.register import Drop, drops_of, newest_revision, register, revised_drops

RECEIPT = "receipt/receipt.json"
REJECTS = "receipt/rejects.csv"


def claim(places: Context, permit: Permit) -> None:
    """Claims every complete upload of the permitted feeds and registers its drop.

    ConfigError: a transform of these feeds cannot be loaded. A drop keeps its feed's configuration, and would wait for
    a transform that never worked; so nothing is claimed.
    """
    config = places.config()
    permitted = [each for feed, each in config.feeds.items() if permit.feeds is None or feed in permit.feeds]
    load(sorted({name for each in permitted if isinstance(each, ImagesFeed) for name in each.transforms}))
    with _alone(places):
        for claimed in places.landing().claim(permit.feeds):
            if claimed.drop is None:
                places.log.warning(
                    "upload refused", feed=claimed.feed, upload=claimed.upload, error=str(claimed.refused)
                )
                continue
            new = not places.fs.exists(places.layout.drop(claimed.feed, claimed.drop))
            register(
                places.fs,
                places.layout,
                Drop(
                    id=claimed.drop,
                    client=places.client,
                    feed=claimed.feed,
                    name=claimed.name,
                    upload=claimed.upload,
                    size=claimed.bytes,
                    received=claimed.claimed,
                    config=config.feeds[claimed.feed],
                ),
            )
            if new:
                places.log.info("upload claimed", feed=claimed.feed, drop=claimed.drop, upload=claimed.upload)


def unpublished(places: Context, permit: Permit) -> dict[str, list[Drop]]:
    """The registered drops of each permitted feed that wait (see ``waiting``); no feed of which none does."""
    feeds = [entry.name for entry in places.fs.list(places.layout.registers)]
    found = {feed: waiting(places, feed) for feed in feeds if permit.feeds is None or feed in permit.feeds}
    return {feed: drops for feed, drops in found.items() if drops}


def waiting(places: Context, feed: str) -> list[Drop]:
    """The registered drops of a feed that no reader sees yet, or not in their newest revision, in order of receipt."""
    fs, layout = places.fs, places.layout
    registered = drops_of(fs, layout, feed)
    found = registered - published_drops(fs, layout, feed)
    for drop in (revised_drops(fs, layout, feed) & registered) - found:
        seen = of(fs, layout, feed, drop)
        if seen is None or seen.revision < newest_revision(fs, layout, feed, drop):
            found.add(drop)
    return sorted((places.drop(feed, drop) for drop in found), key=lambda drop: (drop.received, drop.id))


def acknowledge(places: Context, feeds: Collection[str] | None, drop: str | None = None) -> None:
    """Answers every claimed upload that is refused or whose drop is published.

    Args:
        feeds: of these feeds only; None: of all, and of what lay in no feed's directory.
        drop: answer the uploads of this drop alone.
    """
    with _alone(places):
        landing = places.landing()
        for claimed in landing.claims():
            if (feeds is not None and claimed.feed not in feeds) or (drop is not None and claimed.drop != drop):
                continue
            if claimed.refused is not None:
                _answered(places, claimed, landing.acknowledge(claimed, _refused(places, claimed), None))
                continue
            seen = _seen(places, claimed)
            if seen is not None:
                with _answer(places, claimed, seen) as (answer, rejects):
                    _answered(places, claimed, landing.acknowledge(claimed, answer, rejects))


def _answered(places: Context, claimed: Claim, receipt: Path) -> None:
    places.log.info(
        "upload answered", feed=claimed.feed, drop=claimed.drop, upload=claimed.upload, receipt=str(receipt)
    )
    tell(f"The receipt of {claimed.name} is {receipt}")


def _seen(places: Context, claimed: Claim) -> Published | None:
    """What readers see of the upload's drop; None while they see nothing of it.

    A claim that a kill left unregistered, of a feed that is configured no more, waits until it is again.
    """
    if claimed.drop is None or not places.fs.exists(places.layout.drop(claimed.feed, claimed.drop)):
        return None
    return of(places.fs, places.layout, claimed.feed, claimed.drop)


@contextlib.contextmanager
def _alone(places: Context) -> Iterator[None]:
    """One run of the client at a time claims and answers."""
    with wait_for_lease(places, places.layout.lease("claims"), places.log.info):
        yield


def _refused(places: Context, claimed: Claim) -> dict[str, Any]:
    assert claimed.refused is not None
    return receipt.refused(
        claimed.refused,
        upload=claimed.upload,
        client=places.client,
        feed=claimed.feed or None,
        name=claimed.name,
        received=claimed.claimed,
    )


@contextlib.contextmanager
def _answer(places: Context, claimed: Claim, seen: Published) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """The receipt of an upload whose drop is published, and its rejects opened (None where there are none)."""
    path = places.layout.stage("publish", seen.feed, seen.receipt, seen.drop, seen.build)
    output = Dataset(places.fs, path)
    first = json.loads(places.fs.read(f"{output.path}/{RECEIPT}"))
    rejects_name = claimed.rejects_name if first["rejects"] else None
    if claimed.upload == first["upload"]:
        answer = {**first, "rejects": rejects_name}
    else:
        answer = receipt.received_before(
            first, upload=claimed.upload, name=claimed.name, received=claimed.claimed, rejects=rejects_name
        )
    with contextlib.ExitStack() as opened:
        rejects = opened.enter_context(places.fs.open(f"{output.path}/{REJECTS}")) if rejects_name else None
        yield answer, rejects
