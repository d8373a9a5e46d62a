r"""Regular expressions that files name, which meet texts that strangers write.

Python's and Java's engines backtrack: ``\d*\d*\d*x`` takes minutes over some hundred digits (see OWASP's page on
ReDoS). So only forms are taken in which a repeat can end in one place alone, before a character that it cannot match
itself. The time is then at most the square of the text's length.
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
# What Java reads otherwise than Python: named groups, intersections and classes within classes, \d without a digit.
_NOT_JAVA = re.compile(r"\(\?P|&&|\[(?:\\.|[^\]\\])*\[|\{,")


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


def checked(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled; ValueError says what is wrong with it."""
    found = compiled(pattern)
    _refuse_unless_bounded(pattern, found.flags)
    return found


def checked_for_spark(pattern: str) -> str:
    """The pattern as it is, if Java's engine reads it as Python's does; ValueError says what is wrong with it."""
    checked(pattern)
    found = _NOT_JAVA.search(pattern)
    if found:
        raise ValueError(f"at {found[0]!r} it has a form that is not allowed")
    return pattern


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of bounded length, whatever it does; ValueError says that it is none."""
    if len(pattern) > _MOST_CHARACTERS:
        raise ValueError(f"it must have at most {_MOST_CHARACTERS} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return re.compile(pattern)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        raise ValueError(f"it must be a regular expression ({error})") from error


def _refuse_unless_bounded(pattern: str, flags: int) -> None:
    tokens = _tokens(pattern.removeprefix("(?i)"))
    for at, token in enumerate(tokens):
        _refuse_unless_ends(token, tokens[at + 1 :], flags)


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


def _refuse_unless_ends(token: _Token, after: list[_Token], flags: int) -> None:
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
