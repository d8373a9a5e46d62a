"""What a fault on the web means: which code it gets, and whether it may pass."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError, ContentLengthError, TransferEncodingError

from conf.errors import LandfallError
from conf.rules import RULES

_SHOWN = 200  # characters of what a server said, at most
_LASTING_DNS = (socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_FAIL, socket.EAI_FAMILY, socket.EAI_SERVICE)


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
    shown = text[:_SHOWN] + "…" if len(text) > _SHOWN else text
    return "".join(c if c.isprintable() else "\ufffd" for c in shown)


def of(fault: Exception, host: str) -> Failure:
    """The failure behind what the client raised; MemoryError is nobody's failure and goes on.

    Args:
        fault: from aiohttp, asyncio or the socket.
        host: that was asked.
    """
    match fault:
        case Failure():
            return fault
        case MemoryError():
            raise fault
        case aiohttp.ClientConnectorDNSError(os_error=error):
            return _unresolved(error, host)
        case aiohttp.ClientSSLError():
            return Failure("fetch.connection", value=host, reason=f"no trusted TLS ({_reason(fault)})")
        case asyncio.TimeoutError():
            return Failure("fetch.timeout", passing=True, value=host)
        case aiohttp.ClientPayloadError():
            return _broken_body(fault, host)
        case aiohttp.ServerDisconnectedError():
            return Failure("fetch.connection", passing=True, value=host, reason="closed without an answer")
        case OSError():
            return Failure("fetch.connection", passing=True, value=host, reason=_reason(fault))
        case aiohttp.ClientConnectionError():
            return Failure("fetch.connection", passing=True, value=host, reason="the connection was lost")
        case aiohttp.ClientResponseError():
            return Failure("fetch.protocol", value=host, reason=fault.message.partition("\n")[0])
        case _:
            return Failure("fetch.protocol", value=host, reason=type(fault).__name__)


def _unresolved(error: OSError, host: str) -> Failure:
    if error.errno in _LASTING_DNS:
        return Failure("fetch.dns", value=host)
    return Failure("fetch.connection", passing=True, value=host, reason="the name cannot be resolved for now")


def _broken_body(fault: aiohttp.ClientPayloadError, host: str) -> Failure:
    """A body that ends early may be whole the next time; one that is encoded wrongly will not."""
    cause = fault.__cause__
    if isinstance(cause, ContentEncodingError) or (
        isinstance(cause, TransferEncodingError) and not isinstance(cause, ContentLengthError) and _is_garbled(cause)
    ):
        return Failure("fetch.protocol", value=host, reason="the body is not encoded as its headers say")
    return Failure("fetch.connection", passing=True, value=host, reason="the body breaks off")


def _is_garbled(cause: TransferEncodingError) -> bool:
    return "Not enough data" not in cause.message


def _reason(fault: OSError) -> str:
    """What the system says, without the addresses that libraries add."""
    inner = getattr(fault, "os_error", None) or fault
    if isinstance(inner, ssl.SSLError):
        return inner.reason or type(inner).__name__
    return os.strerror(inner.errno).lower() if inner.errno else type(inner).__name__
