"""What HDFS says, as our errors: each with what to do, and whether it may pass by itself."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import requests
from hdfs import HdfsError

from conf.errors import AlreadyExists, LandfallError, NotFound, StorageError
from targets.hdfs.place import HdfsPlace
from targets.hdfs.sentences import AGAIN, JAVA, PASSING, kind_of, tell

_T = TypeVar("_T")
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 3.0
_LONGEST = 300


class Fault(NamedTuple):
    """An error of ours, and whether what it tells may pass by itself."""

    error: LandfallError
    passing: bool


def fault(error: BaseException, path: str, place: HdfsPlace) -> Fault:
    """What an exception of a transport means.

    Args:
        path: what was worked on.
    """
    if isinstance(error, LandfallError):
        return Fault(error, isinstance(error, StorageError) and error.passing)
    kind, said = _kind(error), _said(error)
    told = _told(kind, f"{place.url}{path}", said, place)
    if isinstance(told, StorageError):
        told.passing = kind in PASSING
    return Fault(told, kind in PASSING)


def patiently(do: Callable[[int], _T], path: str, place: HdfsPlace) -> _T:
    """What ``do`` gives; it is repeated while what is wrong may pass, for ``place.patience`` seconds in all.

    Args:
        do: told how often it was tried before.
        path: what it works on.
    """
    deadline = time.monotonic() + place.patience
    wait, tried = _FIRST_WAIT, 0
    while True:
        try:
            return do(tried)
        except Exception as error:  # both libraries raise of every kind
            told, passing = fault(error, path, place)
            if not passing or time.monotonic() + wait > deadline:
                raise told from error
        time.sleep(wait)
        wait, tried = min(2 * wait, _LONGEST_WAIT), tried + 1


def _kind(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "missing"
    if isinstance(error, FileExistsError):
        return "taken"
    if isinstance(error, requests.exceptions.SSLError | ssl.SSLError):
        return "tls"
    said = str(error)
    kind = kind_of(said, (isinstance(error, HdfsError) and error.exception) or "")
    if kind:
        return kind
    if isinstance(error, OSError | TimeoutError | requests.RequestException):
        return "away"
    # hdfs-native says what failed between it and a server in words of its own.
    return "away" if re.search(r"IOError|Connection|DataTransferError|listener|TimedOut", said) else "other"


def _said(error: BaseException) -> str:
    """The first line of what the library says, without the names of Java's classes."""
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    text = str(error).replace("\\n", "\n").strip() or type(error).__name__
    found = re.match(r'RPCError\("[^"]*", "(.*)', text, re.DOTALL)
    line = (found[1] if found else text).splitlines()[0]
    return JAVA.sub("", line).strip(' ":)')[:_LONGEST]


def _told(kind: str, where: str, said: str, place: HdfsPlace) -> LandfallError:
    if kind == "missing":
        return NotFound(f"{where} is not there.")
    if kind in ("taken", "not empty"):
        return AlreadyExists(f"{where} is there already.")
    if kind == "other":
        return StorageError(f"{where}: HDFS says: {said}.", f"See to HDFS. {AGAIN}")
    user, login = place.acts_as, place.login or "the system's user"
    values = {"where": where, "said": said, "user": user, "login": login, "url": place.url}
    return StorageError(*tell(kind, **values, web=" ".join(place.web)))
