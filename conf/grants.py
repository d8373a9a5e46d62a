"""``grants.toml``: what each group of the directory may do. No grant, no access."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from conf.errors import ConfigError
from conf.files import conf_directory, parse_toml, read_bounded
from conf.names import is_name
from conf.problems import dotted, not_empty, sentences

Role = Literal["viewer", "operator", "admin"]
ALL = "*"


def _group(text: str) -> str:
    if not text.strip() or text != text.strip() or not text.isprintable():
        raise ValueError("it must be a group's name, without spaces around it")
    return text


def _name_or_all(text: str) -> str:
    if text != ALL and not is_name(text):
        raise ValueError('it must be a name as clients and feeds have, or "*" for all')
    return text


def _feeds(value: Any) -> Any:
    if value == ALL:
        return (ALL,)
    if isinstance(value, str):
        raise ValueError('it must be a list of feeds, or "*" for all')  # noqa: TRY004  # pydantic collects ValueErrors
    return value


NameOrAll = Annotated[str, AfterValidator(_name_or_all)]


class Grant(BaseModel):
    """What one group may do.

    Attributes:
        group: a group of the directory.
        role: what its members may do (see ``auth.policy``).
        client: a client's id, or ``*`` for all.
        feeds: the client's feeds, or ``("*",)`` for all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: Annotated[str, Field(max_length=256), AfterValidator(_group)]
    role: Role
    client: NameOrAll
    feeds: Annotated[tuple[NameOrAll, ...], AfterValidator(not_empty), BeforeValidator(_feeds)]

    @field_validator("feeds")
    @classmethod
    def _all_or_some(cls, feeds: tuple[str, ...]) -> tuple[str, ...]:
        if ALL in feeds and len(feeds) > 1:
            raise ValueError('it must be "*" alone, or a list without it')
        return feeds

    @property
    def all_feeds(self) -> bool:
        return self.feeds == (ALL,)

    def __str__(self) -> str:
        """The grant as a person reads it."""
        client = "every client" if self.client == ALL else f"client {self.client}"
        feeds = "" if self.all_feeds else f", feeds {', '.join(self.feeds)}"
        return f"group {self.group} is {self.role} of {client}{feeds}"


class _Grants(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    grants: tuple[Grant, ...] = ()


def load_grants() -> tuple[Grant, ...]:
    """The grants as the file is now; ConfigError tells all its mistakes, or that there is no such file."""
    file = conf_directory() / "grants.toml"
    try:
        return _read(file, read_bounded(file))
    except FileNotFoundError:
        raise ConfigError(f"There is no {file}, so nobody may do anything; run landfall init, or write it.") from None


@functools.lru_cache(maxsize=4)
def _read(file: Path, data: bytes) -> tuple[Grant, ...]:
    """What the file's bytes say. Kept: whoever works on many clients asks for each, and the file has as many grants."""
    try:
        return _Grants.model_validate(parse_toml(file, data)).grants
    except ValidationError as error:
        raise ConfigError(*sentences(error, _Grants, lambda loc: f"{file}: {dotted(loc)}")) from None
