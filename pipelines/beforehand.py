"""Pictures that Fetch's workers made: how they come to Transform, which finds them as if it had made them itself."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence

from conf.errors import AlreadyExists, NotFound
from spark_jobs.shards import Tally, Written
from targets.dataset import kept
from targets.filesystem import FileSystem

# Beside what is kept: it goes with the staging directory, and is no part of the output.
_TOLD = "told.json"


def hand_over(fs: FileSystem, images: str, staging: str, table: str, written: Sequence[Written]) -> None:
    """Puts finished shards where a killed attempt would have left them, and what their workers said of them beside.

    Where an attempt has left its own, these stay where they are.

    Args:
        images: path of their directory; none if no picture was made.
        staging: staging path of the stage that takes them, whose lease is held.
        table: the table of its output that they become.
        written: shards whose digests are known.
    """
    if not fs.exists(images):
        return
    fs.remove(f"{staging}/{_TOLD}")
    with contextlib.suppress(AlreadyExists):
        fs.rename(images, f"{kept(staging)}/{table}")
        fs.create(f"{staging}/{_TOLD}", json.dumps(written).encode())


def told(fs: FileSystem, staging: str) -> list[Written]:
    """What workers said of the shards that were handed over."""
    try:
        said = json.loads(fs.read(f"{staging}/{_TOLD}"))
    except NotFound:
        return []
    return [Written(name, sha256, Tally(*tally), directory) for name, sha256, tally, directory in said]
