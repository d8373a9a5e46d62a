"""What may go wrong with a directory server, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ldap3.core.exceptions import LDAPException, LDAPSASLPrepError

from conf.errors import AccessDenied
from conf.problems import shown

Answer = Mapping[str, Any]
"""A result as ldap3 gives it: ``result`` is the code (RFC 4511 4.1.9), ``description`` its name."""

SIZE_LIMIT = 4
NOT_NOW = (51, 52)
"""Busy, and unavailable: another server may serve."""

_LIMITS = {3: "time", SIZE_LIMIT: "number of entries", 11: "size of an answer"}
_MAY_NOT = (1, 8, 13, 48, 50)
_NO_SUCH = (32, 34)
# Words of the system and of ldap3, and what they mean to a person.
_WORDS = (
    (("timed out", "timeout", "temporarily unavailable"), "it does not answer in time"),
    (("refused",), "it refuses the connection"),
    (("terminated", "reset", "broken pipe", "eof occurred"), "it hung up"),
    (("starttls",), "it does not speak TLS (StartTLS)"),
    (("invalid server address", "name or service"), "there is no such host"),
)
_REFERRAL = 10


class Unreachable(Exception):
    """A server does not serve: another one may.

    Args:
        why: as part of a sentence.
        certificate: whether it was refused for its certificate.
    """

    def __init__(self, why: str, certificate: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.certificate = certificate


@contextmanager
def answers() -> Iterator[None]:
    """Whatever ldap3 meets on the line, or in answers that are none, means that this server does not serve."""
    try:
        yield
    except (AccessDenied, Unreachable, LDAPSASLPrepError):
        raise
    except Exception as error:  # noqa: BLE001  # ldap3's decoder passes on whatever a strange answer makes Python say
        known = isinstance(error, LDAPException | OSError)
        raise Unreachable(_why(error) if known else "it answers what is no LDAP") from None


def _why(error: BaseException) -> str:
    text = " ".join(str(error).split()).lower()
    return next((why for words, why in _WORDS if any(word in text for word in words)), shown(text))


def refusal(answer: Answer, base: str) -> AccessDenied | Unreachable:
    """Why a search, or a bind, came to nothing."""
    code, said = answer["result"], shown(answer["description"])
    if code in NOT_NOW:
        return Unreachable(f"it is {answer['description']}")
    if code in _LIMITS:
        return AccessDenied(
            f"The directory gave up at its limit of {_LIMITS[code]} when asked about {base}.",
            "An operator narrows ldap.user_base or ldap.group_base, or has the limit of the service account raised.",
        )
    if code in _NO_SUCH:
        what = f"There is no {shown(base)} in the directory, or the account that asks may not see it."
    elif code in _MAY_NOT:
        what = f"The directory does not let the account that asks look below {shown(base)} ({said})."
    elif code == _REFERRAL:
        what = f"The directory sends us on to another server for {shown(base)}, where we do not go."
    else:
        what = f"The directory answers {said} when asked about {shown(base)}."
    return AccessDenied(what, "An operator sees to the [ldap] settings and to the service account's rights.")
