"""What a server answers to a bind, as a sentence: right, wrong, locked, expired, to be changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from auth.directory import wrong
from conf.errors import AccessDenied
from conf.problems import shown

POLICY_CONTROL = "1.3.6.1.4.1.42.2.27.8.5.1"
"""The control by which OpenLDAP, 389 and others tell why a password was refused (draft-behera-ldap-password-policy)."""

SUCCESS = 0
_INVALID_CREDENTIALS = 49
# A name that cannot be, an entry that is none or has no password: to whoever asks, all this is the same.
_NO_PASSWORD_THERE = (16, 32, 34, 48)
# What Active Directory adds to its message (winerror.h, in hexadecimal).
_ACTIVE_DIRECTORY = re.compile(r"\bdata ([0-9a-f]{1,8})\b", re.IGNORECASE)

_KEEPER = "Ask whoever keeps the directory"


def _locked(user: str) -> AccessDenied:
    return AccessDenied(f"The account of {user} is locked.", f"{_KEEPER} to unlock it, or wait until it is.")


def _expired(user: str) -> AccessDenied:
    return AccessDenied(f"The password of {user} has expired.", "Choose a new one in the directory, then run again.")


def _must_change(user: str) -> AccessDenied:
    return AccessDenied(
        f"The password of {user} was set by somebody else and must be changed first.",
        "Choose a new one in the directory, then run again.",
    )


def _disabled(user: str) -> AccessDenied:
    return AccessDenied(f"The account of {user} is disabled.", f"{_KEEPER} to enable it.")


def _ended(user: str) -> AccessDenied:
    return AccessDenied(f"The account of {user} has come to its end.", f"{_KEEPER} to prolong it.")


def _not_now(user: str) -> AccessDenied:
    return AccessDenied(f"{user} may not log in at this time or from this machine.", f"{_KEEPER}.")


Denial = Callable[[str], AccessDenied]
_BY_POLICY: Mapping[int, Denial] = {0: _expired, 1: _locked, 2: _must_change}
_BY_WINDOWS: Mapping[int, Denial] = {
    0x530: _not_now,
    0x531: _not_now,
    0x532: _expired,
    0x533: _disabled,
    0x701: _ended,
    0x773: _must_change,
    0x775: _locked,
}


def denial(user: str, result: Mapping[str, Any], locked: Callable[[], bool]) -> AccessDenied | None:
    """Why a bind proves nothing; None if it proves the person.

    Args:
        user: whose bind it was.
        result: what the server answered, as ldap3 gives it.
        locked: whether the entry says that it is locked; asked only where the server did not say why it refused.
    """
    name, code = shown(user), result["result"]
    said = _BY_POLICY.get(_policy_error(result))
    if said is not None:
        return said(name)
    if code == SUCCESS:
        return None
    if code in _NO_PASSWORD_THERE:
        return wrong(f"The entry of {name} has no password that could be tried ({result['description']}).")
    if code != _INVALID_CREDENTIALS:
        return AccessDenied(
            f"The directory refuses to log {name} in: {shown(result['description'])}.",
            f"{_KEEPER} why; docs/ldap.md says what to look at.",
        )
    found = _ACTIVE_DIRECTORY.search(str(result.get("message") or ""))
    because = _BY_WINDOWS.get(int(found[1], 16)) if found else None
    if because is not None:
        return because(name)
    return _locked(name) if locked() else wrong(f"The password of {name} is wrong.")


def _policy_error(result: Mapping[str, Any]) -> int:
    """The ``error`` of a PasswordPolicyResponseValue; -1 if there is none.

    SEQUENCE { warning [0] CHOICE {…} OPTIONAL, error [1] ENUMERATED OPTIONAL }, in BER with short lengths.
    """
    control = (result.get("controls") or {}).get(POLICY_CONTROL)
    value = control.get("value") if control else None
    if not isinstance(value, bytes) or len(value) < 2 or value[0] != 0x30:
        return -1
    rest = value[2 : 2 + value[1]]
    while len(rest) >= 2:
        tag, length = rest[0], rest[1]
        if tag == 0x81 and length == 1 and len(rest) >= 3:
            return rest[2]
        rest = rest[2 + length :]
    return -1
