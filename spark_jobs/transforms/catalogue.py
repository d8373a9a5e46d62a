"""Which transforms there are, and what their results are called."""

from __future__ import annotations

import functools
import hashlib
import importlib
import json
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from conf.errors import ConfigError
from conf.names import is_name
from conf.settings import Images
from spark_jobs.transforms.transform import Transform

_GROUP = "landfall.transforms"
_PACKAGE = "spark_jobs.transforms"
_OWN = frozenset({"catalogue", "transform"})  # modules of this folder that are no transform


def names() -> frozenset[str]:
    """Every transform that a feed may list; none of them is imported."""
    return frozenset(_sources())


def load(wanted: Iterable[str]) -> tuple[Transform, ...]:
    """The transforms of these names, in their order.

    ConfigError: a name that nobody brings or that two bring, or a transform that cannot be imported or is none; all of
    them at once.
    """
    return _load(tuple(wanted))


def digest(transforms: Sequence[Transform], images: Images) -> str:
    """What else but the original decides on a result's bytes, as 64 hex digits (sha-256)."""
    # imported only here: it brings the codecs, and names() is asked where there are no pictures
    from spark_jobs.images import encode

    made_by = {
        "transforms": [[each.name, each.version] for each in transforms],
        "encoder": encode.VERSION,
        "jpeg_quality": images.jpeg_quality,
    }
    return hashlib.sha256(json.dumps(made_by, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def image_id(original_id: str, made_by: str) -> str:
    """A result's id, as 64 hex digits (sha-256).

    Args:
        original_id: sha-256 of the original's file, 64 hex digits.
        made_by: of ``digest``.
    """
    return hashlib.sha256(f"{original_id}:{made_by}".encode("ascii")).hexdigest()


def _sources() -> dict[str, list[tuple[str, Callable[[], Any]]]]:
    """By name, who brings a transform: where it lies, and how it is imported."""
    found: dict[str, list[tuple[str, Callable[[], Any]]]] = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name not in _OWN and not module.name.startswith("_"):
            path = f"{_PACKAGE}.{module.name}"
            found.setdefault(module.name.replace("_", "-"), []).append((path, functools.partial(_own, path)))
    for point in entry_points(group=_GROUP):
        found.setdefault(point.name, []).append((point.value, point.load))
    return found


def _own(path: str) -> Any:
    return importlib.import_module(path).TRANSFORM


@functools.cache
def _load(wanted: tuple[str, ...]) -> tuple[Transform, ...]:
    sources, made = _sources(), []
    problems: list[str] = []
    for name in wanted:
        try:
            made.append(_one(name, sources))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(*problems)
    return tuple(made)


def _one(name: str, sources: dict[str, list[tuple[str, Callable[[], Any]]]]) -> Transform:
    found = sources.get(name, [])
    if not found:
        raise ConfigError(f"There is no transform {name}: there are {', '.join(sorted(sources))}.")
    places = ", ".join(sorted(place for place, _ in found))
    if len(found) > 1:
        raise ConfigError(f"The transform {name} comes from several places ({places}): rename all but one.")
    try:
        transform = found[0][1]()
    except Exception as error:
        said = " ".join(str(error).split())
        raise ConfigError(
            f"The transform {name} cannot be imported from {places} ({type(error).__name__}: {said}): repair it."
        ) from error
    if not isinstance(transform, Transform) or transform.name != name or not is_name(name):
        raise ConfigError(
            f"{places} is no Transform of the name {name}: give TRANSFORM that name, or rename its place."
        )
    return transform
