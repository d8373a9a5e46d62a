"""What the settings file and the variables say, not yet checked against the settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from conf.environment import PREFIX, overrides, unknown
from conf.errors import ConfigError
from conf.files import conf_directory, read_toml
from conf.problems import Loc, dotted


@dataclass(frozen=True)
class Sources:
    """Where settings come from.

    Attributes:
        env: the env that is chosen, which may be none.
        given: what code gave; it goes first.
        variables: what variables say; they go second.
        file: path of the settings file; it goes third.
        content: what the file says.
        problems: what is wrong already: a file that cannot be read, variables that are none.
    """

    env: str
    given: Mapping[str, Any]
    variables: Mapping[str, Any]
    file: Path
    content: Mapping[str, Any]
    problems: tuple[str, ...]

    @classmethod
    def read(cls, settings: type[BaseModel], envs: tuple[str, ...], given: Mapping[str, Any]) -> Sources:
        """Reads the variables, and the file of the env that is chosen; with an env that is none no file is read."""
        variables = overrides(settings, os.environ)
        problems = unknown(settings, os.environ)
        env = given.get("env", variables.get("env", "dev"))
        file = conf_directory() / f"{env}.toml"
        content: dict[str, Any] = {}
        if env in envs:
            try:
                content = read_toml(file)
            except FileNotFoundError:
                problems.append(f"There is no {file}; run landfall init, or name the directory in LANDFALL_CONF.")
            except ConfigError as error:
                problems += error.problems
        said = content.pop("env", env)
        if said != env:
            problems.append(f"{file}: env is {said!r}; the file's name says {env!r} already: leave it out.")
        return cls(env, given, variables, file, content, tuple(problems))

    def subject(self, loc: Loc) -> str:
        """How a person finds a setting: its variable if that is set, else its place in the file."""
        if _at(self.given, loc[:2]) is not None:
            return dotted(loc)
        if _at(self.variables, loc[:2]) is not None:
            name = PREFIX + "__".join(str(part) for part in loc[:2]).upper()
            return name + dotted(loc[2:])
        return f"{self.file}: {dotted(loc)}"

    def raw(self, section: str, key: str) -> Any:
        """What was said of one setting, checked or not; None if nothing was."""
        layers = (_at(layer, (section, key)) for layer in (self.given, self.variables, self.content))
        return next((found for found in layers if found is not None), None)


def _at(values: Any, loc: Loc) -> Any:
    for part in loc:
        values = values.get(part) if isinstance(values, Mapping) else getattr(values, str(part), None)
    return values
