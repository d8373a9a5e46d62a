"""Our code for executors: a zip of the packages that Spark's Python workers import."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import io
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

from conf.settings import Settings
from spark_jobs.session.properties import scratch

# What runs on executors; stages and people's commands stay where they are.
_PACKAGES = ("conf", "targets", "spark_jobs")
_DATE = (1980, 1, 1, 0, 0, 0)


def archive(settings: Settings) -> Path:
    """The zip, named after its content; made when it is not there yet."""
    name, content = _packed()
    place = scratch(settings) / name
    if not place.exists():
        beside = place.with_name(f".{uuid.uuid4().hex}")
        beside.write_bytes(content)
        beside.replace(place)
    return place


@functools.cache
def _packed() -> tuple[str, bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, source in _sources():
            packed.writestr(zipfile.ZipInfo(name, _DATE), source, zipfile.ZIP_DEFLATED)
    content = buffer.getvalue()
    return f"landfall-{hashlib.sha256(content).hexdigest()[:16]}.zip", content


def _sources() -> Iterator[tuple[str, bytes]]:
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        for root in spec.submodule_search_locations or ():
            for file in sorted(Path(root).rglob("*.py")):
                yield f"{package}/{file.relative_to(root).as_posix()}", file.read_bytes()
