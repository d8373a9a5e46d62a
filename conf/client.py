"""``clients/<client>.toml``: a client and its feeds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from conf.errors import ConfigError, NotFound
from conf.feeds import Feed, FeedConfig
from conf.files import conf_directory, read_toml
from conf.names import Name, is_name, name_rule
from conf.problems import dotted, nearest, not_empty, sentences, shown
from conf.public_keys import checked_key
from conf.workflow_checks import problems
from conf.workflows import Workflow

# Names that a feed's tables, directories and columns use already.
RESERVED_FEEDS = frozenset(
    {"build", "day", "drop", "image_request", "incoming", "month", "outbox", "processed", "raw", "workflows", "year"}
)


def _unreserved(name: str) -> str:
    if name.replace("-", "_") in RESERVED_FEEDS:
        raise ValueError(f"reserved names are {', '.join(sorted(RESERVED_FEEDS))}")
    return name


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError("it must be an address or a network, such as 192.0.2.1 or 192.0.2.0/24") from None


# The columns of each table that feeds become.
KnownColumns = Callable[[Mapping[str, FeedConfig]], Mapping[str, Sequence[str]]]

FeedName = Annotated[Name, AfterValidator(_unreserved)]


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
    """A client: its id, its feeds by name, its access by SFTP, and its workflows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client: Name
    sftp: SftpAccess = SftpAccess()
    feeds: Annotated[dict[FeedName, FeedConfig], AfterValidator(not_empty)]
    workflow: tuple[Workflow, ...] = ()

    @field_validator("client")
    @classmethod
    def _as_the_file(cls, client: str, info: ValidationInfo) -> str:
        wanted = (info.context or {}).get("client", client)
        if client != wanted:
            raise ValueError(f"it must be {wanted!r}, as the file is named")
        return client

    @field_validator("feeds")
    @classmethod
    def _tables_apart(cls, feeds: dict[str, Feed]) -> dict[str, Feed]:
        tables = [name.replace("-", "_") for name in feeds]
        alike = [name for name, table in zip(feeds, tables, strict=True) if tables.count(table) > 1]
        if alike:
            raise ValueError(f"feeds must differ in more than - and _, which tables write alike ({', '.join(alike)})")
        lines = {f"{table}_line" for table, feed in zip(tables, feeds.values(), strict=True) if feed.kind == "records"}
        taken = [name for name, table in zip(feeds, tables, strict=True) if table in lines]
        if taken:
            raise ValueError(f"{taken[0]} is how the lines of another feed are called; give the feed another name")
        return feeds


def client_ids() -> list[str]:
    """The clients that have a file, by name."""
    files = (conf_directory() / "clients").glob("*.toml")
    return sorted(file.stem for file in files if is_name(file.stem))


def load_client(
    client: str, known_transforms: Collection[str] | None = None, known_columns: KnownColumns | None = None
) -> ClientConfig:
    """The client's file, checked.

    Args:
        client: its id. It is looked at before the file system is.
        known_transforms: names that a feed may list; None: any.
        known_columns: the columns of the tables that feeds become; None: workflows may read any.

    Raises:
        ConfigError: an id that is none, or all mistakes of the file.
        NotFound: there is no such file.
    """
    if not is_name(client):
        raise ConfigError(f"The client {shown(client)} is no client's id; {name_rule()}.")
    file = conf_directory() / "clients" / f"{client}.toml"
    try:
        content = read_toml(file)
    except FileNotFoundError:
        raise _no_such_client(client, file) from None
    try:
        config = ClientConfig.model_validate(content, context={"client": client, "transforms": known_transforms})
    except ValidationError as error:
        raise ConfigError(*sentences(error, ClientConfig, lambda loc: f"{file}: {dotted(loc)}")) from None
    columns = known_columns(config.feeds) if known_columns is not None else None
    wrong = problems(client, config.workflow, config.feeds, columns)
    if wrong:
        raise ConfigError(*(f"{file}: {sentence}" for sentence in wrong))
    return config


def _no_such_client(client: str, file: Path) -> NotFound:
    there = client_ids()
    clients = f"Clients are {', '.join(there)}{nearest(client, there)}" if there else "There are no clients yet."
    return NotFound(f"There is no client {client}: {file} does not exist.", clients)
