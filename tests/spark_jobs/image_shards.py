"""Shards of made-up pictures, and the image store that takes them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spark_jobs import shards
from spark_jobs.schemas import IMAGES
from spark_jobs.store import Destination, StoreJob
from targets.local import LocalFileSystem

FS = LocalFileSystem()
_SECONDS = 60


def rows(count: int, *, bad: int = 0) -> Iterator[dict[str, Any]]:
    """So many pictures, and lines that gave none."""
    for number in range(count + bad):
        content = None if number < bad else b"picture %d" % number
        digest = hashlib.sha256(content or b"").hexdigest()
        yield dict.fromkeys(IMAGES.names) | {
            "entry": 0,
            "line": number + 1,
            "url": f"http://a.example/{number}",
            "rule": "image.corrupt" if content is None else "ok",
            "message": "",
            "original_id": digest,
            "original_bytes": 1,
            "image_id": digest if content else None,
            "image_digest": digest if content else None,
            "width": 1,
            "height": 1,
            "format": "PNG",
            "bytes": len(content or b""),
            "transforms": "grayscale",
            "content": content,
        }


def stored(destination: Destination, count: int) -> int:
    """How many pictures the store has, once it has so many."""
    end = time.monotonic() + _SECONDS
    with destination.open() as store:
        while store.count() < count and time.monotonic() < end:
            time.sleep(0.01)
        return store.count()


def job(destination: Destination, images: Path, *pictures: Iterator[dict[str, Any]]) -> StoreJob:
    """Store's job on shards of these rows."""
    FS.make_directory(str(images))
    for number, some in enumerate(pictures):
        shards.write_shard(FS, f"{images}/{name(number)}", IMAGES, some)
    return StoreJob(FS, str(images), destination)


def name(number: int) -> str:
    """Of a shard's file."""
    return f"part-{number:05d}.parquet"
