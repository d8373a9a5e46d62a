"""Where one client's pictures lie in MongoDB, and who asks for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conf.errors import ConfigError
from conf.private import read_private
from conf.settings import Settings

# mongodb.com/docs/manual/reference/limits: a database's name has fewer than 64 bytes.
_LONGEST_NAME = 63
_MOST_PASSWORD_BYTES = 4096


@dataclass(frozen=True)
class Place:
    """One client's database.

    Attributes:
        servers: the URL's servers, for messages.
        client, env: whose database it is; its stamp says so too.
        database: its name.
        user: the client's database user; empty: none.
        auth_source: the database that knows the user.
        password_file: holds the user's password; None without a user.
        ca_file: PEM file of the authorities that are trusted; None: the system's.
        connect_seconds, answer_seconds, retry_seconds, batch_bytes: see conf.sections.mongo.
    """

    url: str
    servers: str
    client: str
    env: str
    database: str
    user: str
    auth_source: str
    password_file: Path | None
    tls: bool
    ca_file: Path | None
    connect_seconds: float
    answer_seconds: float
    retry_seconds: float
    batch_bytes: int

    def __str__(self) -> str:
        return f"{self.database} at {self.servers}"

    def options(self) -> dict[str, Any]:
        """What a MongoClient is made with.

        Raises:
            AccessDenied: the password's file is open to others, or is no such file.
            ConfigError: there is no such file.
        """
        milliseconds = 1000
        options: dict[str, Any] = {
            "host": self.url,
            "appname": "landfall",
            "tls": self.tls,
            "serverSelectionTimeoutMS": round(self.connect_seconds * milliseconds),
            "connectTimeoutMS": round(self.connect_seconds * milliseconds),
            "socketTimeoutMS": round(self.answer_seconds * milliseconds),
            "wTimeoutMS": round(self.answer_seconds * milliseconds),
            "w": "majority",
            "journal": True,
            "readConcernLevel": "majority",
            "maxPoolSize": 4,
            "tz_aware": True,
        }
        if self.tls and self.ca_file:
            options["tlsCAFile"] = self._present("mongo.ca_file", self.ca_file)
        if self.user:
            options |= {"username": self.user, "password": self._password(), "authSource": self.auth_source}
        return options

    def _password(self) -> str:
        if self.password_file is None:
            raise ConfigError(f"mongo.user is {self.user!r}, and mongo.password_file names no file of its password.")
        file = self._present("mongo.password_file", self.password_file)
        try:
            return read_private(Path(file), _MOST_PASSWORD_BYTES).decode("utf-8").removesuffix("\n")
        except UnicodeDecodeError:
            raise ConfigError(f"{file} (mongo.password_file) is not UTF-8.") from None

    def _present(self, setting: str, file: Path) -> str:
        if not file.is_file():
            raise ConfigError(f"There is no file {file}, which {setting} names for the client {self.client}.")
        return str(file)


def place_of(settings: Settings, client: str) -> Place:
    """The client's database; ConfigError if MongoDB would not take its name."""
    mongo, url = settings.mongo, settings.images.url
    names = {"{client}": client, "{env}": settings.env}
    database = _filled(mongo.database, names)
    if len(database) > _LONGEST_NAME:
        raise ConfigError(
            f"The database of client {client} would be {database}, which has {len(database)} characters; "
            f"MongoDB takes {_LONGEST_NAME}: make mongo.database shorter."
        )
    names["{database}"] = database
    password_file, ca_file = _filled(mongo.password_file, names), mongo.ca_file
    return Place(
        url=url,
        servers=re.split(r"[/?]", url.partition("://")[2])[0],
        client=client,
        env=settings.env,
        database=database,
        user=_filled(mongo.user, names),
        auth_source=_filled(mongo.auth_source, names),
        password_file=Path(password_file) if password_file else None,
        tls=mongo.tls,
        ca_file=Path(ca_file) if ca_file else None,
        connect_seconds=mongo.connect_seconds,
        answer_seconds=mongo.answer_seconds,
        retry_seconds=mongo.retry_seconds,
        batch_bytes=mongo.batch_bytes,
    )


def _filled(template: str, names: dict[str, str]) -> str:
    # One pass: what a name holds is never read as a template.
    return re.sub(r"\{\w+\}", lambda found: names[found[0]], template)
