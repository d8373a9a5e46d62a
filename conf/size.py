r"""The regular expression that finds the size asked for in a URL's path.

It meets paths that strangers write, and Python's engine backtracks: ``\d*\d*\d*x`` takes minutes over some hundred
digits (see OWASP's page on ReDoS). So only forms are taken in which a repeat can end in one place alone, before a
character that it cannot match itself. The time is then at most the square of the path's length.
"""

from __future__ import annotations

import re
import warnings
from typing import NamedTuple

_MOST_CHARACTERS = 200
_EVERY_CHARACTER = "".join(map(chr, range(0x10000)))

_TOKEN = re.compile(
    r"""(?P<open>\((?:\?P<\w+>|\?:)?)
      | (?P<close>\))(?P<optional>\?)?
      | (?P<atom>\\[dDwWsS!-/:-@\[-`{-~] | \[\^?\]?(?:\\.|[^\]\\])*\] | [^\\\[\](){}?*+|^$])
        (?P<repeat>[*+?][?+]?|\{\d*(?:,\d*)?\}[?+]?)?
      | (?P<anchor>[\^$])""",
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    """``kind``: open, close, optional (the end of a group that may be absent), atom or anchor."""

    kind: str | None
    atom: str = ""
    repeat: str = ""

    @property
    def varies(self) -> bool:
        return bool(self.repeat) and not re.fullmatch(r"\{\d+\}", self.repeat)

    @property
    def may_be_absent(self) -> bool:
        return self.repeat.startswith(("*", "?", "{0", "{,"))


def checked_size(pattern: str) -> str:
    """The pattern as it is; ValueError says what is wrong with it."""
    if len(pattern) > _MOST_CHARACTERS:
        raise ValueError(f"it must have at most {_MOST_CHARACTERS} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compiled = re.compile(pattern)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        raise ValueError(f"it must be a regular expression ({error})") from error
    missing = [name for name in ("width", "height") if name not in compiled.groupindex]
    if missing:
        raise ValueError(f"it must have the groups (?P<width>…) and (?P<height>…); {' and '.join(missing)} is missing")
    tokens = _tokens(pattern.removeprefix("(?i)"))
    for at, token in enumerate(tokens):
        _refuse_unless_bounded(token, tokens[at + 1 :], compiled.flags)
    return pattern


def _tokens(pattern: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(pattern):
        match = _TOKEN.match(pattern, at)
        if match is None:
            raise ValueError(
                f"at {pattern[at : at + 10]!r} it has a form that is not allowed: a group is not repeated, there is no "
                "|, no looking around and no referring back"
            )
        kind = match.lastgroup if match["atom"] is None else "atom"
        tokens.append(_Token(kind, match["atom"] or "", match["repeat"] or ""))
        at = match.end()
    return tokens


def _refuse_unless_bounded(token: _Token, after: list[_Token], flags: int) -> None:
    following = [other for other in after if other.kind not in ("open", "close", "optional")]
    if token.kind == "optional" and any(other.kind != "anchor" for other in following):
        raise ValueError("a group that may be absent must stand at the end")
    if not token.varies or not following or following[0].kind == "anchor":
        return
    follower = following[0]
    if follower.may_be_absent or _characters(token, flags) & _characters(follower, flags):
        raise ValueError(
            f"{token.atom}{token.repeat} must be followed by something that it cannot match itself, or by the end"
        )


def _characters(token: _Token, flags: int) -> set[str]:
    return set(re.findall(token.atom, _EVERY_CHARACTER, flags))
