"""The addresses of names, looked up in threads so that a slow resolver keeps nobody else waiting."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from spark_jobs.web.addresses import may_connect
from spark_jobs.web.failure import Failure

_KNOWN_SECONDS = 10
_THREADS = 8

Told = Callable[[tuple[str, ...] | Exception], None]


class Names:
    """Looks names up, and gives the addresses of those only all of whose addresses may be connected to.

    Threads and what they wake us with are made for the first name: many a task knows addresses alone.

    Args:
        allowed: addresses that may be connected to although not public, as in WebPolicy.
        selector: is told what wakes us; calls the key's data then.
    """

    def __init__(self, allowed: tuple[str, ...], selector: selectors.BaseSelector) -> None:
        self._allowed = allowed
        self._selector = selector
        self._known: dict[tuple[str, int], tuple[float, tuple[str, ...]]] = {}
        self._asked: defaultdict[tuple[str, int], list[Told]] = defaultdict(list)
        self._found: dict[tuple[str, int], Future[tuple[str, ...]]] = {}
        self._threads: ThreadPoolExecutor | None = None

    def look_up(self, host: str, port: int, told: Told) -> None:
        """Tells the addresses of a name as they were seconds ago at most, at once or later.

        Or a Failure when one of them may not be connected to, socket.gaierror when the name has none.
        """
        until, addresses = self._known.get((host, port), (0.0, ()))
        if until > time.monotonic():
            told(addresses)
            return
        waiting = self._asked[host, port]
        waiting.append(told)
        if len(waiting) == 1:
            found = self._begun().submit(_find, host, port, self._allowed)
            self._found[host, port] = found
            found.add_done_callback(self._wake)

    def __len__(self) -> int:
        """How many names have been found."""
        return len(self._known)

    def close(self) -> None:
        """Waits for the threads, which nothing can end earlier, and tells nobody."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
            self._selector.unregister(self._ear)
            self._ear.close()
            self._bell.close()

    def _begun(self) -> ThreadPoolExecutor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, "look-up")
            self._ear, self._bell = socket.socketpair()
            self._ear.setblocking(False)
            self._bell.setblocking(False)
            self._selector.register(self._ear, selectors.EVENT_READ, self._tell)
        return self._threads

    def _wake(self, _: Future[tuple[str, ...]]) -> None:
        with contextlib.suppress(BlockingIOError):  # full: it rings already
            self._bell.send(b"\0")

    def _tell(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._ear.recv(4096)
        for key in [key for key, found in self._found.items() if found.done()]:
            found = self._found.pop(key)
            fault = found.exception()
            if fault is None:
                self._known[key] = time.monotonic() + _KNOWN_SECONDS, found.result()
            elif not isinstance(fault, Exception):
                raise fault
            for told in self._asked.pop(key):
                told(found.result() if fault is None else fault)


def _find(host: str, port: int, allowed: tuple[str, ...]) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except UnicodeError:  # a label that IDNA knows no form of
        raise socket.gaierror(socket.EAI_NONAME, "no such name") from None
    addresses = tuple(_scoped(*where) for *_, where in found)
    if not all(may_connect(address, port, allowed) for address in addresses):
        raise Failure("fetch.blocked_address", value=host)
    return addresses


def _scoped(address: object, _port: object, _flow: object = 0, scope: object = 0) -> str:
    """A socket address's address; with the network that it means if it means but one."""
    return f"{address}%{scope}" if scope and "%" not in str(address) else str(address)
