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

_T = TypeVar("_T")
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 3.0
_LONGEST = 300
_AGAIN = "Run again when that is mended; the work goes on where it stopped."

# Java's exception, by the end of its class's name -> what it means here.
_KINDS = {
    "FileNotFoundException": "missing",
    "FileAlreadyExistsException": "taken",
    "SafeModeException": "safe mode",
    "AccessControlException": "denied",
    "AuthorizationException": "impersonation",
    "SecurityException": "security",
    "NSQuotaExceededException": "names",
    "DSQuotaExceededException": "space",
    "QuotaByStorageTypeExceededException": "space",
    "QuotaExceededException": "names",
    "StandbyException": "away",
    "RetriableException": "away",
    "ParentNotDirectoryException": "in the way",
    "PathIsNotDirectoryException": "in the way",
    "MaxDirectoryItemsExceededException": "crowded",
    "PathIsNotEmptyDirectoryException": "not empty",
}
# What is told in words only, or in words that say more than the class.
_WORDS = (
    (re.compile(r"safe ?mode", re.IGNORECASE), "safe mode"),
    (re.compile(r"not allowed to impersonate"), "impersonation"),
    (re.compile(r"could only be written to|NotEnoughReplicas|NoSuitableDataNode|not replicated yet", re.I), "no node"),
    (re.compile(r"BlocksNotFound|BlockMissing|Could not obtain block|No valid DataNode|No live nodes", re.I), "blocks"),
    (re.compile(r"EOFException|End of File Exception|ConnectException|Connection refused|Call From .* failed"), "away"),
    (re.compile(r"is not empty"), "not empty"),
    (re.compile(r"NSQuotaExceeded"), "names"),
    (re.compile(r"DSQuotaExceeded"), "space"),
    (re.compile(r"Permission denied"), "denied"),
    (re.compile(r"Authentication failure|SASL|GSSAPI|Kerberos", re.I), "security"),
    (re.compile(r"UnsupportedFeature.*ncryption|File encryption"), "encrypted"),
)
_PASSING = {"away", "safe mode", "no node", "blocks"}
_JAVA = re.compile(r"(?:[a-z]\w*\.)+(\w*Exception)")


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
        told.passing = kind in _PASSING
    return Fault(told, kind in _PASSING)


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
    for pattern, kind in _WORDS:
        if pattern.search(said):
            return kind
    java = error.exception if isinstance(error, HdfsError) and error.exception else ""
    found = _JAVA.search(said)
    kind = _KINDS.get((java or (found[1] if found else "")).rpartition(".")[2], "")
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
    return _JAVA.sub("", line).strip(' ":)')[:_LONGEST]


def _told(kind: str, where: str, said: str, place: HdfsPlace) -> LandfallError:
    if kind == "missing":
        return NotFound(f"{where} is not there.")
    if kind in ("taken", "not empty"):
        return AlreadyExists(f"{where} is there already.")
    if kind == "other":
        return StorageError(f"{where}: HDFS says: {said}.", f"See to HDFS. {_AGAIN}")
    what, fix = _SENTENCES[kind]
    user = place.acts_as
    login = place.login or "the system's user"
    return StorageError(
        what.format(where=where, said=said, user=user, login=login, url=place.url, web=" ".join(place.web)),
        fix.format(user=user, login=login, again=_AGAIN, web=" ".join(place.web)),
    )


_SENTENCES = {
    "away": (
        "HDFS at {url} does not answer ({said}).",
        "See whether its NameNode and DataNodes run and can be reached from here. {again}",
    ),
    "safe mode": (
        "HDFS at {url} is in safe mode: it changes nothing.",
        "See why with `hdfs dfsadmin -safemode get` and its NameNode's page. {again}",
    ),
    "no node": (
        "{where}: no DataNode of HDFS takes the block.",
        "See whether DataNodes run, can be reached from here and have space left. {again}",
    ),
    "blocks": (
        "{where}: no DataNode of HDFS has the file's blocks.",
        "See which DataNodes are down with `hdfs fsck`. {again}",
    ),
    "denied": (
        "{where}: the HDFS user {user} may not do this.",
        "Give that user the right (see docs/hdfs.md, Users and rights), or set hdfs.user and hdfs.as_client. {again}",
    ),
    "impersonation": (
        "HDFS does not let {login} act as {user}.",
        "Set hadoop.proxyuser.{login}.users and .hosts in the NameNode's core-site.xml and run "
        "`hdfs dfsadmin -refreshSuperUserGroupsConfiguration`, or leave hdfs.as_client empty.",
    ),
    "security": (
        "HDFS does not know who asks: {said}.",
        "With Kerberos, see to hdfs.auth, hdfs.principal and hdfs.keytab, or run kinit. {again}",
    ),
    "names": (
        "{where}: the directory's quota of names (files and directories) is used up.",
        "Raise it with `hdfs dfsadmin -setQuota`, or remove what is no longer needed. {again}",
    ),
    "space": (
        "{where}: the directory's quota of space is used up.",
        "Raise it with `hdfs dfsadmin -setSpaceQuota`, or remove what is no longer needed. {again}",
    ),
    "crowded": (
        "{where}: its directory holds as many names as the NameNode allows.",
        "Raise dfs.namenode.fs-limits.max-directory-items. {again}",
    ),
    "in the way": (
        "{where}: a file stands where a directory belongs.",
        "Move it away and run again.",
    ),
    "tls": (
        "WebHDFS at {web} shows a certificate that is not trusted here.",
        "Name the CA in hdfs.ca_file, and the host in hdfs.web as the certificate has it. {again}",
    ),
    "encrypted": (
        '{where} lies in an encryption zone, which hdfs.transport = "rpc" cannot write.',
        'Set hdfs.transport = "web": there the DataNodes encrypt (docs/hdfs.md). {again}',
    ),
}
