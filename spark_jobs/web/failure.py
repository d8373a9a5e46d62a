"""What a fault on the web means: which code it gets, and whether it may pass."""

from __future__ import annotations

import os
import re
import socket

import pycurl

from conf.errors import LandfallError
from conf.rules import RULES

_SHOWN = 200  # characters of what a server said, at most
_LASTING_DNS = (socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_FAIL, socket.EAI_FAMILY, socket.EAI_SERVICE)
# What libcurl says of a connection that may hold the next time, where the system says nothing.
_BROKEN = {
    pycurl.E_COULDNT_CONNECT: "no connection",
    pycurl.E_GOT_NOTHING: "closed without an answer",
    pycurl.E_PARTIAL_FILE: "the body breaks off",
    pycurl.E_SEND_ERROR: "the connection was lost",
    pycurl.E_RECV_ERROR: "the connection was lost",
}
_TLS = (
    pycurl.E_SSL_CONNECT_ERROR,
    pycurl.E_PEER_FAILED_VERIFICATION,
    pycurl.E_SSL_CERTPROBLEM,
    pycurl.E_SSL_CIPHER,
    pycurl.E_SSL_ISSUER_ERROR,
    pycurl.E_USE_SSL_FAILED,
)
_HUNG_UP = re.compile(
    r"SSL_ERROR_SYSCALL|SSL_ERROR_ZERO_RETURN|reset by peer|unexpected eof|broken pipe|(?:send|recv) failure",
    re.IGNORECASE,
)
_GARBLED = re.compile(r"chunk", re.IGNORECASE)


class Failure(LandfallError):
    """An attempt that gave no content.

    Args:
        rule: the code in conf.rules.
        passing: whether another attempt may succeed.
        value: what the rule is about, such as the host or the address sent on to.
        status: of the last answer, if there was one.
        retry_after: what the source asked us to wait (seconds), if it did.
        details: what else the rule's message says.
    """

    def __init__(
        self,
        rule: str,
        *,
        passing: bool = False,
        value: str | None = None,
        status: int | None = None,
        retry_after: float | None = None,
        **details: object,
    ) -> None:
        super().__init__(rule)
        self.rule = rule
        self.passing = passing
        self.value = None if value is None else clean(value)
        self.status = status
        self.retry_after = retry_after
        self._details = details

    def message(self, attempts: int) -> str:
        """The rule's sentence."""
        said = {name: clean(text) if isinstance(text, str) else text for name, text in self._details.items()}
        return RULES[self.rule].say(**{"value": self.value, "status": self.status, "attempts": attempts, **said})


def clean(text: str) -> str:
    """What a server said as one line of bounded length without control characters or halves of characters."""
    if len(text) <= _SHOWN and text.isprintable():
        return text
    shown = text[:_SHOWN] + "…" if len(text) > _SHOWN else text
    return "".join(c if c.isprintable() else "\ufffd" for c in shown)


def of(fault: Exception, host: str) -> Failure:
    """The failure behind what the client raised; what is nobody's failure goes on.

    Args:
        fault: from the client or the system.
        host: that was asked.
    """
    match fault:
        case Failure():
            return fault
        case MemoryError() | LandfallError():
            raise fault
        case socket.gaierror():
            return _unresolved(fault, host)
        case TimeoutError():
            return Failure("fetch.timeout", passing=True, value=host)
        case OSError():
            return broken(host, os.strerror(fault.errno).lower() if fault.errno else type(fault).__name__)
        case _:
            return Failure("fetch.protocol", value=host, reason=type(fault).__name__)


def of_curl(fault: pycurl.error, host: str, errno: int) -> Failure:
    """The failure behind an error of libcurl's; MemoryError or LandfallError where this machine is at fault.

    Args:
        host: that was asked.
        errno: what the system said last, 0 for nothing.
    """
    code, said = fault.args
    if code == pycurl.E_OUT_OF_MEMORY:
        raise MemoryError from fault
    if code == pycurl.E_SSL_CACERT_BADFILE:
        raise LandfallError(
            "The certificates that this machine trusts cannot be read.",
            "See to the files that SSL_CERT_FILE and SSL_CERT_DIR name, or to the system's own, and run again.",
        )
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return Failure("fetch.timeout", passing=True, value=host)
    if code == pycurl.E_COULDNT_RESOLVE_HOST:
        return Failure("fetch.dns", value=host)
    if code in _TLS:
        if _HUNG_UP.search(said):
            return broken(host, "the connection was lost")
        return Failure("fetch.connection", value=host, reason=f"no trusted TLS ({said})")
    if code in _BROKEN and not _GARBLED.search(said):
        return broken(host, os.strerror(errno).lower() if errno else _BROKEN[code])
    return Failure("fetch.protocol", value=host, reason=said or f"libcurl's error {code}")


def _unresolved(error: socket.gaierror, host: str) -> Failure:
    if error.errno in _LASTING_DNS:
        return Failure("fetch.dns", value=host)
    return broken(host, "the name cannot be resolved for now")


def broken(host: str, reason: str) -> Failure:
    """The failure of a connection that may hold the next time."""
    return Failure("fetch.connection", passing=True, value=host, reason=reason)
