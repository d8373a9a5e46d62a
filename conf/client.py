"""``clients/<client>.toml``: a client and its feeds."""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from conf.errors import ConfigError, NotFound
from conf.files import conf_directory, read_toml
from conf.hosts import pattern
from conf.problems import dotted, nearest, not_empty, sentences, shown
from conf.public_keys import checked_key
from conf.size import checked_size

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_NAME_RULE = "a name begins with a small letter and has up to 63 small letters, digits, - and _"

# Names that a feed's tables, directories and columns use already.
RESERVED_FEEDS = frozenset(
    {"build", "day", "drop", "image_request", "incoming", "month", "outbox", "processed", "raw", "year"}
)


def is_name(text: str) -> bool:
    """Whether a client, feed or transform may be called this; such a name is safe as a part of a path."""
    return NAME.fullmatch(text) is not None


def _named(text: str) -> str:
    if not is_name(text):
        raise ValueError(_NAME_RULE)
    return text


def _transform(name: str, info: ValidationInfo) -> str:
    known = (info.context or {}).get("transforms")
    if known is not None and name not in known:
        raise ValueError(f"allowed are {', '.join(sorted(known))}{nearest(name, known)}")
    return name


def _share(value: Any) -> Any:
    """A share of 1, from ``0.02`` or ``"2%"``."""
    text = str(value)
    is_percentage = isinstance(value, str) and re.fullmatch(r"\d{1,3}(\.\d{1,6})?\s*%", text) is not None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    share = float(text.rstrip("% ")) / 100 if is_percentage else float(value) if is_number else -1
    if not 0 <= share <= 1:
        raise ValueError('it must be a number from 0 to 1, or a percentage such as "2%"')
    return share


def _unreserved(name: str) -> str:
    if name.replace("-", "_") in RESERVED_FEEDS:
        raise ValueError(f"reserved names are {', '.join(sorted(RESERVED_FEEDS))}")
    return name


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError("it must be an address or a network, such as 192.0.2.1 or 192.0.2.0/24") from None


Name = Annotated[str, AfterValidator(_named)]
FeedName = Annotated[Name, AfterValidator(_unreserved)]
Transform = Annotated[Name, AfterValidator(_transform)]
Host = Annotated[str, AfterValidator(lambda text: str(pattern(text)))]


class FeedConfig(BaseModel):
    """One feed. What is written into a drop's register, so a drop keeps the configuration it came with.

    Attributes:
        kind: what the feed carries.
        complete: how an upload is known to be complete.
        settle_seconds: with ``settle``, how long size and ctime must stand still (seconds).
        format: how lines are written; ``auto`` tells it from the content, never from the name.
        delimiter: of CSV.
        sources: hosts (see ``conf.hosts``) that a catalogue may name.
        redirects: hosts that a source may send us on to.
        size: regular expression with groups ``width`` and ``height`` over the URL's path; none: size is not asked for.
        transforms: what is done to each picture, in order.
        max_transient: share of requests (0 to 1, or "2%") that may fail in passing before the drop is held.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["images"]
    complete: Literal["rename", "sidecar", "settle"] = "rename"
    settle_seconds: Annotated[float, Field(gt=0, le=86_400)] = 10
    format: Literal["auto", "text", "csv", "jsonl"] = "auto"
    delimiter: Literal[",", ";", "\t", "|"] = ","
    sources: Annotated[tuple[Host, ...], AfterValidator(not_empty)]
    redirects: tuple[Host, ...] = ()
    size: Annotated[str, AfterValidator(checked_size)] | None = None
    transforms: Annotated[tuple[Transform, ...], AfterValidator(not_empty)] = ("grayscale",)
    max_transient: Annotated[float, BeforeValidator(_share)] = 0.02

    @field_validator("transforms")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"it must name each transform once ({', '.join(twice)})")
        return names


class SftpAccess(BaseModel):
    """How the client comes by SFTP.

    Attributes:
        keys: public keys that open its account; without one it has none.
        addresses: networks it may come from, in the file as ``from``; empty: any.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: tuple[Annotated[str, AfterValidator(checked_key)], ...] = ()
    addresses: tuple[Annotated[str, AfterValidator(_network)], ...] = Field((), alias="from")


class ClientConfig(BaseModel):
    """A client: its id, its feeds by name, and its access by SFTP."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client: Name
    sftp: SftpAccess = SftpAccess()
    feeds: Annotated[dict[FeedName, FeedConfig], AfterValidator(not_empty)]

    @field_validator("client")
    @classmethod
    def _as_the_file(cls, client: str, info: ValidationInfo) -> str:
        wanted = (info.context or {}).get("client", client)
        if client != wanted:
            raise ValueError(f"it must be {wanted!r}, as the file is named")
        return client

    @field_validator("feeds")
    @classmethod
    def _tables_apart(cls, feeds: dict[str, FeedConfig]) -> dict[str, FeedConfig]:
        tables = [name.replace("-", "_") for name in feeds]
        alike = [name for name, table in zip(feeds, tables, strict=True) if tables.count(table) > 1]
        if alike:
            raise ValueError(f"feeds must differ in more than - and _, which tables write alike ({', '.join(alike)})")
        return feeds


def client_ids() -> list[str]:
    """The clients that have a file, by name."""
    files = (conf_directory() / "clients").glob("*.toml")
    return sorted(file.stem for file in files if is_name(file.stem))


def load_client(client: str, known_transforms: Collection[str] | None = None) -> ClientConfig:
    """The client's file, checked.

    Args:
        client: its id. It is looked at before the file system is.
        known_transforms: names that a feed may list; None: any.

    Raises:
        ConfigError: an id that is none, or all mistakes of the file.
        NotFound: there is no such file.
    """
    if not is_name(client):
        raise ConfigError(f"The client {shown(client)} is no client's id; {_NAME_RULE}.")
    file = conf_directory() / "clients" / f"{client}.toml"
    try:
        content = read_toml(file)
    except FileNotFoundError:
        raise _no_such_client(client, file) from None
    try:
        return ClientConfig.model_validate(content, context={"client": client, "transforms": known_transforms})
    except ValidationError as error:
        raise ConfigError(*sentences(error, ClientConfig, lambda loc: f"{file}: {dotted(loc)}")) from None


def _no_such_client(client: str, file: Path) -> NotFound:
    there = client_ids()
    clients = f"Clients are {', '.join(there)}{nearest(client, there)}" if there else "There are no clients yet."
    return NotFound(f"There is no client {client}: {file} does not exist.", clients)
