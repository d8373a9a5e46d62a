"""The directory: who a person is, and which groups they are in.

``tests/contracts/directory.py`` holds every implementation to this protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from conf.errors import AccessDenied


@dataclass(frozen=True)
class Person:
    """Somebody the directory knows.

    Attributes:
        user: the name they are known by.
        groups: the groups they are in.
    """

    user: str
    groups: frozenset[str]


class Directory(Protocol):
    """Where people prove who they are. A directory that does not serve raises an ``AccessDenied`` that says why."""

    def authenticate(self, user: str, password: str) -> Person:
        """The person whose password this is.

        AccessDenied if it is not, if there is no such user (the two are told apart neither by words nor by time: only
        ``reason``, which goes to the audit log, says which it was), if the password is blank, or if the directory
        cannot be reached (which the sentence says).
        """

    def find(self, user: str) -> Person | None:
        """What the directory knows of a user, who proves nothing by it; None if it knows no such user."""


def wrong(reason: str) -> AccessDenied:
    """Name and password do not go together. Whoever asks is not told which of them is wrong.

    Args:
        reason: what it was, for the audit log.
    """
    return AccessDenied(
        "The user name or the password is wrong.",
        "See that LANDFALL_USER is a user of the directory and LANDFALL_PASSWORD_FILE holds their password.",
        reason,
    )
