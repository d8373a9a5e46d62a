"""The variables ``LANDFALL_<SECTION>__<NAME>``: which there are, and what they say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from conf.problems import nearest

PREFIX = "LANDFALL_"

# Variables that are not settings.
OTHERS = {
    "LANDFALL_CONF": "directory of the configuration; empty means conf/ below the working directory",
    "LANDFALL_USER": "who asks",
    "LANDFALL_PASSWORD_FILE": "the file (mode 0600) that holds the password of who asks",
}


class Variable(NamedTuple):
    """One setting as a variable.

    Attributes:
        name: such as ``LANDFALL_WEB__CONCURRENCY``.
        loc: where it stands in the settings, such as ``("web", "concurrency")``.
        field: what is known of it.
    """

    name: str
    loc: tuple[str, ...]
    field: FieldInfo


def variables(settings: type[BaseModel]) -> Iterator[Variable]:
    """Every setting as a variable, in the order of the settings."""
    for name, field in settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            for key, inner in section.model_fields.items():
                yield Variable(f"{PREFIX}{name}__{key}".upper(), (name, key), inner)
        else:
            yield Variable(f"{PREFIX}{name}".upper(), (name,), field)


def overrides(settings: type[BaseModel], environment: Mapping[str, str]) -> dict[str, Any]:
    """What the environment sets, as the settings' nested values, not yet checked.

    A list is JSON or has commas between its members; a table is JSON. ``LANDFALL_ENV`` and ``LANDFALL_HOME`` that are
    empty are taken as not set.
    """
    values: dict[str, Any] = {}
    for name, loc, field in variables(settings):
        text = environment.get(name)
        if text is None or (not text and len(loc) == 1):
            continue
        place = values
        for part in loc[:-1]:
            place = place.setdefault(part, {})
        place[loc[-1]] = _decoded(field, text)
    return values


def unknown(settings: type[BaseModel], environment: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that begins like ours and is none. Values are not told: one may be a secret."""
    known = [*OTHERS, *(variable.name for variable in variables(settings))]
    ours = sorted(name for name in environment if name.upper().startswith(PREFIX))
    return [
        f"{name} is no variable of Landfall; settings are LANDFALL_<SECTION>__<NAME>{nearest(name.upper(), known)}"
        for name in ours
        if name not in known
    ]


def _decoded(field: FieldInfo, text: str) -> Any:
    kind = get_origin(field.annotation)
    if kind is tuple and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind in (tuple, dict):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
