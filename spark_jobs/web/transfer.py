"""One GET as libcurl makes it: the head of the answer, then its body, which comes when there is room for it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import NoReturn

import pycurl

from spark_jobs.web import failure
from spark_jobs.web.addresses import may_connect
from spark_jobs.web.clock import Stopwatch
from spark_jobs.web.encodings import Inflater, decoder
from spark_jobs.web.failure import Failure
from spark_jobs.web.head import MOST_LINES, Head, read_head
from spark_jobs.web.places import Buffer
from spark_jobs.web.policy import WebPolicy

_CONTENT = frozenset({200, 203})
_CLOSED = (pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR, pycurl.E_GOT_NOTHING)
_UNWANTED = 64 << 10  # bytes of a body nobody wants that are taken to keep the connection


class _Handed(socket.socket):
    """A socket of which libcurl takes a copy for itself; ours closes without a word."""

    def __del__(self) -> None:
        self.close()


class Transfer:
    """A handle of libcurl's with what it brings, used for one GET after another.

    What libcurl calls here never raises: it would not reach anybody. A transfer is settled when what its answer means
    is known, be it that it has ended, that its head says enough, or that it has gone wrong.

    Args:
        curl: the handle; its options for this GET are set before ``begin``.
        policy: limits of the task.
        buffer: has room for bodies.
        settled: told once in each GET.
        opens: told before a socket is opened.

    Attributes:
        host: that is asked.
        watch: the attempt's, halted while the body waits for room.
        head: of the answer, as soon as it is known.
        began: seconds on the watch when it was given to libcurl, None before.
        held: bytes of the buffer that are the body's; those that it waits for while ``waits``.
    """

    def __init__(
        self,
        curl: pycurl.Curl,
        policy: WebPolicy,
        buffer: Buffer[Transfer],
        settled: Callable[[Transfer], None],
        opens: Callable[[], None],
    ) -> None:
        self.curl = curl
        self._policy, self._buffer, self._tell, self._opens = policy, buffer, settled, opens
        self._lines: list[bytes] = []
        self._pieces: list[bytes] = []
        curl.setopt(pycurl.OPENSOCKETFUNCTION, self._on_socket)
        curl.setopt(pycurl.HEADERFUNCTION, self._on_line)
        curl.setopt(pycurl.WRITEFUNCTION, self._on_body)

    def begin(self, host: str, watch: Stopwatch) -> None:
        """Is about another GET from now on, which nothing is known of yet."""
        self.host = host
        self.watch = watch
        self.began: float | None = None
        self.head: Head | None = None
        self.held = 0
        self.waits = self._reads = self._settled = False
        self._left = self._policy.max_bytes
        self._unwanted = _UNWANTED
        self._decoder: Inflater | None = None
        self._fault: BaseException | None = None

    def clear(self) -> None:
        """Lets go of all that came."""
        self._lines.clear()
        self._pieces.clear()
        self._decoder = self._fault = None

    def settle(self, fault: BaseException | None = None) -> None:
        """Says that the transfer is over as far as its answer matters; the first word counts."""
        if not self._settled:
            self._settled = True
            self._fault = fault
            self._tell(self)

    def go_on(self) -> None:
        """Has the body come: there is room now."""
        self.waits = False
        self.watch.go_on()
        try:
            self.curl.pause(pycurl.PAUSE_CONT)
        except pycurl.error as fault:
            self.settle(fault)

    def body(self) -> bytes:
        """The whole body, decoded; Failure when it is beyond the limit, is garbled or broke off."""
        if self._fault is not None:
            self.fail()
        if self._decoder is not None:
            self._decoder.close()
        return b"".join(self._pieces)

    def fail(self) -> NoReturn:
        """Raises why there is no sound answer."""
        fault = self._fault
        if isinstance(fault, pycurl.error):
            raise failure.of_curl(fault, self.host, self.curl.getinfo(pycurl.OS_ERRNO)) from fault
        raise fault or failure.broken(self.host, "the head breaks off")

    @property
    def is_content(self) -> bool:
        """Whether the body is what was asked for."""
        return self.head is not None and self.head.status in _CONTENT

    def met_a_closed_connection(self) -> bool:
        """Whether the source had closed a connection of an earlier GET's just then: that says nothing of this one.

        RFC 9112 9.3.1 has clients ask again. libcurl does, unless the system has told it in a way of its own.
        """
        if not isinstance(self._fault, pycurl.error) or self._lines:
            return False
        return self._fault.args[0] in _CLOSED and not self.curl.getinfo(pycurl.NUM_CONNECTS)

    def connects_since(self) -> float | None:
        """When on the watch libcurl began to connect, if it has not come further."""
        return None if self._lines or self.curl.getinfo(pycurl.PRETRANSFER_TIME) else self.began

    def _on_socket(self, _purpose: int, wanted: pycurl.CurlSockAddr) -> socket.socket | int:
        """A socket to where libcurl is about to connect: only where that may be, whatever led there."""
        try:
            address, port, *more = wanted.addr
            where = f"{address}%{more[1]}" if len(more) > 1 and more[1] and "%" not in address else address
            if may_connect(where, port, self._policy.allow_addresses):
                self._opens()
                return _Handed(wanted.family, wanted.socktype, wanted.protocol)
            self.settle(Failure("fetch.blocked_address", value=self.host))
        except BaseException as fault:  # noqa: BLE001 (raised when the answer is looked at)
            self.settle(fault)
        return int(pycurl.SOCKET_BAD)

    def _on_line(self, line: bytes) -> int | None:
        """Takes a line of the head, of which the last is empty; what follows the last chunk is counted alone."""
        self._lines.append(line if self.head is None else b"")
        if len(self._lines) > 2 * MOST_LINES:
            self.settle(Failure("fetch.protocol", reason=f"more than {MOST_LINES} headers follow its body"))
            return -1
        if (len(line) <= len(b"\r\n") or len(self._lines) > MOST_LINES) and self.head is None:
            try:
                self._on_head()
            except BaseException as fault:  # noqa: BLE001 (raised when the answer is looked at)
                self.settle(fault)
                return -1
        return None

    def _on_head(self) -> None:
        head = read_head(self._lines)
        if head is None:
            self._lines.clear()
            return
        self.head = head
        if head.status not in _CONTENT:
            self.settle()
        elif (head.length or 0) > self._policy.max_bytes:
            self.settle(Failure("fetch.too_large", limit=self._policy.max_bytes))

    def _on_body(self, data: bytes) -> int | None:
        """Takes a piece of the body, or has libcurl keep it until there is room."""
        try:
            if self._settled:
                self._unwanted -= len(data)
                return None if self._fault is None and self._unwanted >= 0 else -1
            if not self._reads and not self._has_room():
                return int(pycurl.WRITEFUNC_PAUSE)
            self._take(data)
        except BaseException as fault:  # noqa: BLE001 (raised when the answer is looked at)
            self.settle(fault)
            return -1
        return None

    def _has_room(self) -> bool:
        """Takes room for all that the body may be, or waits for it."""
        if self.head is None:
            raise Failure("fetch.protocol", reason="it has no whole head")
        if not self.held:
            told = None if self.head.encoding else self.head.length
            self.held = min(told or self._policy.max_bytes, self._policy.buffer_bytes)
            self.waits = not self._buffer.take(self.held, self)
            if self.waits:
                self.watch.halt()
        if self.waits:
            return False
        self._reads = True
        self._decoder = decoder(self.head.encoding, self._left)
        return True

    def _take(self, data: bytes) -> None:
        piece = data if self._decoder is None else self._decoder.feed(data)
        self._left -= len(piece)
        if self._left < 0:
            raise Failure("fetch.too_large", limit=self._policy.max_bytes)
        self._pieces.append(piece)
