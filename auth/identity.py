"""Who asks: a name and a password from the environment or a terminal, proved by the directory."""

from __future__ import annotations

import functools
import getpass
import hashlib
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from auth.directory import Directory, Person
from auth.private import read_private
from conf.errors import AccessDenied

_MOST_BYTES = 4096
_MOST_CHARACTERS = 256
_HOW = "Set LANDFALL_USER, and LANDFALL_PASSWORD_FILE to a file (mode 0600) that holds the password."


@dataclass(frozen=True)
class Credentials:
    """What somebody says to prove who they are."""

    user: str
    password: str = field(repr=False)


def credentials(environment: Mapping[str, str] = os.environ) -> Credentials:
    """The name and password of who asks.

    From ``LANDFALL_USER`` and ``LANDFALL_PASSWORD_FILE``, read anew each time; on a terminal, what is not set there is
    asked for. AccessDenied where there is neither, where the file is not private, and for a blank password.
    """
    user, file = environment.get("LANDFALL_USER", ""), environment.get("LANDFALL_PASSWORD_FILE", "")
    if user and file:
        return _checked(Credentials(user, _password(Path(file))))
    if file or not sys.stdin.isatty():
        missing = "LANDFALL_PASSWORD_FILE" if user else "LANDFALL_USER"
        raise AccessDenied(f"Nobody says who asks: {missing} is not set.", _HOW)
    return _checked(_typed(user))


def forget_typed() -> None:
    """Has the terminal asked again: what was typed was wrong."""
    _typed.cache_clear()


class Proofs:
    """Who has proved who they are to one directory, for a while.

    Args:
        keep_seconds: how long a proof and its groups are believed.
        clock: seconds of a clock that never goes back.
    """

    def __init__(self, directory: Directory, keep_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._directory = directory
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._proved: dict[bytes, tuple[Person, float]] = {}

    def prove(self, said: Credentials) -> Person:
        """The person that these credentials prove; AccessDenied if they prove nobody. Denials are never kept."""
        key, now = self._key(said), self._clock()
        self._proved = {other: proof for other, proof in self._proved.items() if proof[1] > now}
        if key not in self._proved:
            self._proved[key] = (self._directory.authenticate(said.user, said.password), now + self._keep_seconds)
        return self._proved[key][0]

    def _key(self, said: Credentials) -> bytes:
        """Another user or another password is another key; the password itself is not kept."""
        parts = (said.user.encode(), said.password.encode("utf-8", "surrogatepass"))
        text = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hashlib.blake2b(text, key=self._secret).digest()


def _checked(said: Credentials) -> Credentials:
    if not said.user.isprintable() or len(said.user) > _MOST_CHARACTERS:
        raise AccessDenied(
            "The user name is no name: it is too long, or holds characters that cannot be printed.", _HOW
        )
    if not said.password.strip():
        raise AccessDenied("The password is blank.", _HOW)
    return said


def _password(file: Path) -> str:
    try:
        text = read_private(file, _MOST_BYTES).decode("utf-8")
    except FileNotFoundError:
        raise AccessDenied(f"There is no password file {file}.", _HOW) from None
    except UnicodeDecodeError:
        raise AccessDenied(f"The password file {file} is not UTF-8.", _HOW) from None
    return text.removesuffix("\n").removesuffix("\r")


@functools.cache
def _typed(user: str) -> Credentials:
    """Asks on the terminal; what was typed is kept in memory, so that a long run asks once."""
    try:
        if not user:
            # On stderr, for stdout may be a file that the answer goes to.
            print("User: ", end="", file=sys.stderr, flush=True)
            user = input()
        return Credentials(user, getpass.getpass(f"Password of {user}: ", stream=sys.stderr))
    except EOFError:
        raise AccessDenied("Nobody says who asks.", _HOW) from None
