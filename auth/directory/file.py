"""The directory in a file, for a laptop: JSON, readable by its owner alone, passwords as salted scrypt (RFC 7914)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from auth.directory import Person, wrong
from auth.private import held_private, read_private, write_private
from conf.errors import AccessDenied, ConfigError
from conf.problems import shown

_MOST_BYTES = 8 << 20
_NO_SALT = bytes(16)

Hex = Annotated[str, Field(pattern=r"^([0-9a-f]{2})+$", repr=False)]


class _User(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    groups: tuple[str, ...]
    salt: Hex
    hash: Hex


class _Users(BaseModel):
    """What the file holds. Another cost of scrypt is another scheme."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scheme: Literal["sha256-scrypt-n16384-r8-p1"] = "sha256-scrypt-n16384-r8-p1"
    users: dict[str, _User] = {}


class FileDirectory:
    """People in one file.

    Args:
        path: the file; mode 0600.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, home: Path) -> FileDirectory:
        """The one that belongs to a ``LANDFALL_HOME``."""
        return cls(home.absolute() / "directory.json")

    def authenticate(self, user: str, password: str) -> Person:
        """See ``Directory``."""
        users = self._reached().users
        known = users.get(user)
        # A user who is not there costs the same scrypt as one who is.
        salt, wanted = (bytes.fromhex(known.salt), bytes.fromhex(known.hash)) if known else (_NO_SALT, b"")
        matches = hmac.compare_digest(_scrypt(password, salt), wanted)
        if known is None:
            raise wrong(f"There is no user {shown(user)} in the directory.")
        if not matches or not password.strip():
            raise wrong(f"The password of {shown(user)} is wrong.")
        return Person(user, frozenset(known.groups))

    def find(self, user: str) -> Person | None:
        """See ``Directory``."""
        known = self._reached().users.get(user)
        return Person(user, frozenset(known.groups)) if known else None

    def add(self, user: str, password: str, groups: Iterable[str]) -> None:
        """Adds a user, or gives a user a new password and new groups; ConfigError for a blank name or password."""
        if not user.strip() or not user.isprintable() or len(user) > 256:
            raise ConfigError(f"The user {user!r:.80} cannot be added; a name of printable characters is allowed.")
        if not password.strip():
            raise ConfigError(f"The user {user} cannot be added with a blank password; choose one.")
        salt = secrets.token_bytes(16)
        made = _User(groups=tuple(sorted(set(groups))), salt=salt.hex(), hash=_scrypt(password, salt).hex())
        with self._changing() as users:
            users[user] = made

    def remove(self, user: str) -> None:
        """Removes a user; one who is not there is success."""
        with self._changing() as users:
            users.pop(user, None)

    def _reached(self) -> _Users:
        """The people, for a decision."""
        try:
            return self._read()
        except FileNotFoundError:
            raise AccessDenied(
                f"The directory cannot be reached: there is no {self.path}.",
                "Run landfall init, or see that LANDFALL_HOME is right.",
            ) from None

    def _read(self) -> _Users:
        try:
            return _Users.model_validate_json(read_private(self.path, _MOST_BYTES))
        except ValidationError:
            raise AccessDenied(
                f"The directory cannot be reached: {self.path} is damaged.",
                "Move it away and run landfall init, which makes a new one.",
            ) from None

    @contextmanager
    def _changing(self) -> Iterator[dict[str, _User]]:
        """The people, to be changed; written when the block ends. One process at a time, so that no change is lost."""
        with held_private(self.path.with_name(f".{self.path.name}.lock")):
            try:
                users = dict(self._read().users)
            except FileNotFoundError:
                users = {}
            yield users
            write_private(self.path, _Users(users=users).model_dump_json(indent=1).encode() + b"\n")


def _scrypt(password: str, salt: bytes) -> bytes:
    """About 50 ms and 16 MiB.

    The password goes in as its sha-256: the HMAC inside scrypt cannot tell a short key from the same key and NULs.
    """
    key = hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()
    return hashlib.scrypt(key, salt=salt, n=1 << 14, r=8, p=1, dklen=32)
