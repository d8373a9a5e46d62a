"""One connection to one directory server: encrypted before anything is said, bounded in time and bytes."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal
from urllib.parse import urlsplit

import ldap3
from ldap3.core.exceptions import LDAPException, LDAPSASLPrepError

from auth.directory.ldap.answers import POLICY_CONTROL, SUCCESS
from auth.directory.ldap.faults import NOT_NOW, SIZE_LIMIT, Answer, Unreachable, answers, refusal
from auth.directory.ldap.tls import CheckedTls
from conf.errors import AccessDenied
from conf.sections import Ldap

Scope = Literal["BASE", "LEVEL", "SUBTREE"]

_MOST_BYTES = 8 << 20
_PORTS = {"ldap": 389, "ldaps": 636}
_PAGES = "1.2.840.113556.1.4.319"


@dataclass(frozen=True)
class Entry:
    """One entry as the server sent it; nothing in it is to be trusted but by comparing it.

    Attributes:
        name: its distinguished name.
        values: of each attribute that was asked for, by its name in lower case.
    """

    name: str
    values: Mapping[str, Sequence[bytes]]


class Line:
    """An open connection; made by ``opened``."""

    def __init__(self, connection: ldap3.Connection, settings: Ldap) -> None:
        self._connection = connection
        self._settings = settings

    def bind(self, name: str, password: str) -> Answer | None:
        """Asks whether this is the password of this entry.

        Args:
            name: a distinguished name; empty for nobody (anonymous), whose password is empty as well.

        Returns:
            The server's answer; None for a password that no directory can hold (RFC 4013), which it is not told.
        """
        connection = self._connection
        connection.user, connection.password = name, password
        connection.authentication = ldap3.SIMPLE if name else ldap3.ANONYMOUS
        try:
            with answers():
                connection.bind(read_server_info=False, controls=[(POLICY_CONTROL, False, None)] if name else None)
        except LDAPSASLPrepError:
            return None
        finally:
            connection.password = None
        answer: Answer = connection.result
        if answer["result"] in NOT_NOW:
            raise refusal(answer, name)
        return answer

    def search(
        self, base: str, question: str, scope: Scope, attributes: Sequence[str] = (), most: int = 0
    ) -> list[Entry]:
        """The entries that fit, page by page. Referrals are not followed, aliases not resolved.

        Args:
            base: where to look.
            question: a filter (RFC 4515), values escaped.
            attributes: whose values are wanted.
            most: asks for no more than so many; 0: for all there are.

        Raises:
            AccessDenied: the server gave up at a limit of its own, or does not let this account look there.
            Unreachable: it stopped answering.
        """
        entries: list[Entry] = []
        cookie: bytes | None = None
        while True:
            with answers():
                self._connection.search(
                    base,
                    question,
                    search_scope=scope,
                    dereference_aliases=ldap3.DEREF_NEVER,
                    attributes=list(attributes) or [ldap3.NO_ATTRIBUTES],
                    size_limit=most,
                    time_limit=ceil(self._settings.answer_seconds),
                    paged_size=None if most else self._settings.page_size,
                    paged_cookie=cookie,
                    auto_escape=False,
                )
                answer: Answer = self._connection.result
                entries += _entries(self._connection.response)
                cookie = _cookie(answer)
            full = most and answer["result"] == SIZE_LIMIT and len(entries) >= most
            if answer["result"] != SUCCESS and not full:
                raise refusal(answer, base)
            if not cookie:
                return entries


@contextmanager
def opened(url: str, settings: Ldap, plain: bool) -> Iterator[Line]:
    """A connection to a server, for a block.

    Args:
        url: ``ldaps://host`` or ``ldap://host``, which speaks TLS before anything else is said.
        plain: whether ``ldap://`` may do without where ``ldap.start_tls`` is false.

    Raises:
        Unreachable: the server does not answer, or its certificate is not the right one.
        AccessDenied: the line would not be encrypted.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    if parts.scheme == "ldap" and not settings.start_tls and not plain:
        raise AccessDenied(
            f"{url} would get passwords in the clear.", "An operator sets ldap.start_tls = true, or names ldaps://."
        )
    tls = CheckedTls(host, settings.ca_file)
    connection: ldap3.Connection | None = None
    try:
        try:
            with answers():
                server = ldap3.Server(
                    host,
                    port,
                    use_ssl=parts.scheme == "ldaps",
                    tls=tls,
                    get_info=ldap3.NONE,
                    mode=ldap3.IP_V6_PREFERRED,
                    connect_timeout=settings.connect_seconds,
                )
                connection = _connection(server, settings)
                connection.open(read_server_info=False)
                if parts.scheme == "ldap" and settings.start_tls:
                    _encrypt(connection)
                connection.socket = _Bounded(connection.socket, settings.answer_seconds)
        except Unreachable as error:
            if tls.fault:
                raise Unreachable(tls.fault, certificate=True) from None
            raise error from None
        yield Line(connection, settings)
    finally:
        if connection is not None:
            _close(connection)


def _encrypt(connection: ldap3.Connection) -> None:
    if not connection.start_tls(read_server_info=False):
        raise Unreachable("it does not speak TLS (StartTLS)")


def _connection(server: ldap3.Server, settings: Ldap) -> ldap3.Connection:
    return ldap3.Connection(
        server,
        receive_timeout=ceil(settings.answer_seconds),
        auto_referrals=False,
        check_names=False,
        read_only=True,
        raise_exceptions=False,
    )


class _Bounded:
    """A socket that gives up after so much time in all, and so many bytes: ldap3 bounds a single read only."""

    def __init__(self, inner: socket.socket, seconds: float) -> None:
        self._inner = inner
        self._until = time.monotonic() + seconds
        self._bytes = 0

    def recv(self, size: int) -> bytes:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._inner.settimeout(left)
        data = self._inner.recv(size)
        self._bytes += len(data)
        if self._bytes > _MOST_BYTES:
            raise OSError("it sends more than anybody asked for")
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _close(connection: ldap3.Connection) -> None:
    """Says good-bye, which may fail, for all that mattered is said; ldap3 leaves a socket open that did not connect."""
    left = connection.socket
    with contextlib.suppress(LDAPException, OSError):
        connection.unbind()
    if left is not None:
        left.close()


def _entries(response: Any) -> Iterator[Entry]:
    for one in response or ():
        if one.get("type") == "searchResEntry" and isinstance(one.get("dn"), str):
            raw = one["raw_attributes"]
            yield Entry(one["dn"], {name.lower(): tuple(values or ()) for name, values in raw.items()})


def _cookie(answer: Answer) -> bytes | None:
    control = (answer.get("controls") or {}).get(_PAGES)
    return control["value"]["cookie"] or None if control else None
