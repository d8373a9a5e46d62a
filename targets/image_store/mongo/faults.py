"""What MongoDB answers instead of success: waited for if it may pass, else a sentence."""

from __future__ import annotations

import random
import re
import ssl
import time
from collections.abc import Callable
from typing import TypeVar

from bson.errors import BSONError
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    CursorNotFound,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)

from conf.errors import Damaged, LandfallError, StorageError
from targets.image_store.mongo.place import Place

T = TypeVar("T")
Tell = Callable[[str], None]

DUPLICATE = 11000
_UNAUTHORIZED, _NOT_AUTHENTICATED = 13, 18
_FULL = (14031, 8000)
_WTIMEOUT = 64
# The retryable codes of the retryable writes specification (not primary, stepping down, shutting down, unreachable),
# and those of a majority or a snapshot that is not there yet.
_PASSING = frozenset((6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436, 10058, 50, 43, 112, 246))
_LABELS = ("RetryableWriteError", "RetryableError", "TransientTransactionError")
_CERTIFICATE = re.compile(r"certificate verify failed: ([^(]+)|certificate is not valid for '([^']*)'")
_NO_TLS = re.compile(r"WRONG_VERSION_NUMBER|wrong version number|record layer failure")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 10.0
_NOTHING_LOST = "nothing is lost."


def persist(place: Place, work: Callable[[], T], tell: Tell | None) -> T:
    """What ``work`` returns; it is done again, after longer and longer pauses, while what hinders it may pass.

    Args:
        work: may be repeated.
        tell: told of each pause, as a sentence; None: there is none.

    Raises:
        StorageError: what hinders it does not pass, or has not passed within ``place.retry_seconds``.
        Damaged: what came back is no document.
    """
    since: float | None = None
    pause = _FIRST_PAUSE
    while True:
        # The error of a bulk holds its documents: it must not go on as the cause of ours, to be printed somewhere.
        fault, passes = _attempt(place, work)
        if not isinstance(fault, LandfallError):
            return fault
        since = since or time.monotonic()
        # Not all at once when the server is back.
        wait = pause * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
        if tell is None or not passes or time.monotonic() + wait > since + place.retry_seconds:
            raise fault
        tell(f"{fault.what} It is tried again in {wait:.1f} s.")
        time.sleep(wait)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _attempt(place: Place, work: Callable[[], T]) -> tuple[T, bool] | tuple[LandfallError, bool]:
    try:
        return work(), False
    except PyMongoError as error:
        return sentence(place, error), may_pass(error)
    except BSONError as error:
        return damaged(place, f"an answer is no document ({_short(error)})"), False
    except ssl.SSLError as error:
        what = f"The file {place.ca_file}, which mongo.ca_file names, holds no authority's certificate: {error.reason}."
        return StorageError(what, "Name a PEM file of the authorities that are trusted."), False
    except OSError as error:
        return StorageError(f"MongoDB at {place.servers}: {error.strerror or error}.", _see(place)), False


def may_pass(error: PyMongoError) -> bool:
    """Whether the same may go well in a while."""
    if _CERTIFICATE.search(str(error)) or _NO_TLS.search(str(error)):
        return False
    if isinstance(error, (ConnectionFailure, ExecutionTimeout, CursorNotFound, WTimeoutError)):
        return True
    return isinstance(error, OperationFailure) and (
        error.code in _PASSING or error.code == _WTIMEOUT or any(map(error.has_error_label, _LABELS))
    )


def sentence(place: Place, error: PyMongoError) -> LandfallError:
    """Our error for one of pymongo's, without a password and without a document."""
    text = _short(error)
    certificate = _CERTIFICATE.search(str(error))
    if certificate:
        why = (certificate[1] or f"it is not for {certificate[2]}").strip(" .")
        return StorageError(
            f"MongoDB at {place.servers} shows a certificate that is not trusted: {why}.",
            "Name its authority's file in mongo.ca_file, and in images.url the host as the certificate does.",
        )
    if _NO_TLS.search(str(error)):
        what = f"What answers at {place.servers} does not speak TLS."
        return StorageError(what, "Have MongoDB speak it (net.tls), or see to images.url.")
    if isinstance(error, ConnectionFailure):
        return StorageError(f"MongoDB at {place.servers} does not answer: {text}.", _see(place))
    code = error.code if isinstance(error, OperationFailure) else None
    if code in (_UNAUTHORIZED, _NOT_AUTHENTICATED):
        return _refused(place, code)
    if code in _FULL or "No space left" in text:
        return StorageError(f"MongoDB at {place.servers} is full: {text}.", f"Make space there; {_NOTHING_LOST}")
    return StorageError(f"MongoDB refuses the image store {place}: {text}.", "docs/mongodb.md tells what it must be.")


def damaged(place: Place, what: str) -> Damaged:
    """The error of a store that does not hold what was written."""
    return Damaged(
        f"The image store {place} is damaged: {what}.",
        "It is a copy: have an administrator of MongoDB remove what is damaged, then run `landfall images rebuild`.",
    )


def _refused(place: Place, code: int | None) -> StorageError:
    if not place.user:
        return StorageError(
            f"MongoDB at {place.servers} wants a user for {place.database}.",
            "Name it in mongo.user, and its password's file in mongo.password_file.",
        )
    if code == _NOT_AUTHENTICATED:
        return StorageError(
            f"MongoDB at {place.servers} does not let the user {place.user!r} of {place.auth_source} in: "
            "it has no such user, or another password.",
            f"See to mongo.user, mongo.auth_source and the file {place.password_file}.",
        )
    return StorageError(
        f"MongoDB at {place.servers} does not allow the user {place.user!r} to use {place.database}.",
        "Grant it its role on that database alone (docs/mongodb.md).",
    )


def _see(place: Place) -> str:
    tls = "mongo.tls is on; " if place.tls else "mongo.tls is off; "
    return f"See to MongoDB, images.url and the network ({tls}docs/mongodb.md), then run again: {_NOTHING_LOST}"


def _short(error: Exception) -> str:
    """The heart of a message: no timeouts, no topology, no reply with documents in it."""
    if isinstance(error, BulkWriteError):
        return "a bulk failed"
    text = re.split(r" \(configured timeouts|, Timeout: |, full error: |, Topology Description", str(error))[0]
    return " ".join(text.split())[:300].rstrip(".")
