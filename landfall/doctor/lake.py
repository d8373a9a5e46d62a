"""The lake: whether it is reached, belongs to this env, and does what the stages rely on."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

from conf.errors import AlreadyExists
from conf.settings import Settings
from landfall.doctor.finding import Finding, well
from landfall.doctor.machine import space
from targets.filesystem import FileSystem
from targets.lake import open_lake

_PART = "lake"


def lake(settings: Settings) -> Iterator[Finding]:
    """Reach, env stamp, rights and what the file system promises."""
    fs = open_lake(settings)
    yield well(_PART, "reach", settings.lake.url or settings.lake_base)
    yield well(_PART, "env stamp", settings.env)
    yield _promises(fs, f"{settings.lake_base}/_doctor-{uuid.uuid4().hex}")
    if "://" in settings.lake.url:
        from landfall.doctor.hdfs import hdfs

        yield from hdfs(settings)
    else:
        yield space(_PART, "space", Path(settings.lake_base))


def _promises(fs: FileSystem, place: str) -> Finding:
    """Writes, renames and reads as a stage does, in a directory of its own that is removed."""
    try:
        fs.create(f"{place}/from/file", b"doctor")
        fs.make_directory(f"{place}/taken")
        fs.sync(place)
        try:
            fs.rename(f"{place}/from", f"{place}/taken")
        except AlreadyExists:
            fs.rename(f"{place}/from", f"{place}/goal")
        else:
            return Finding(
                _PART, "promises", "ill", "A rename replaced what was there.", "Use another file system for the lake."
            )
        same = fs.read(f"{place}/goal/file") == b"doctor"
    finally:
        fs.remove(place)
    if not same:
        return Finding(_PART, "promises", "ill", "What was written was not read back.", "See to the disk.")
    return well(_PART, "promises", "writes whole, renames without replacing, reads back")
