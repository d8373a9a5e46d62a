"""Servers that say what a test tells them to, and keep what they were asked."""

from __future__ import annotations

import contextlib
import socketserver
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from spark_jobs.web.fetch import Answer, Request, WebPolicy, fetch_all


def policy_for(*ports: int, **changes: object) -> WebPolicy:
    """A policy that allows servers on loopback, quick to give up, and alike in every run."""
    return WebPolicy(
        **{  # type: ignore[arg-type]
            "sources": tuple(f"127.0.0.1:{port}" for port in ports),
            "allow_addresses": tuple(f"127.0.0.1:{port}" for port in ports),
            "concurrency": 8,
            "per_host": 8,
            "max_bytes": 1 << 20,
            "buffer_bytes": 8 << 20,
            "connect_seconds": 20,
            "total_seconds": 20,
            "attempts": 1,
            "seed": 7,
            **changes,
        }
    )


def requests_for(*urls: str) -> list[Request]:
    return [Request(0, line, url, 60, 40) for line, url in enumerate(urls, 1)]


def ask(url: str, policy: WebPolicy) -> Answer:
    """The one answer to one URL."""
    (answer,) = fetch_all(requests_for(url), policy)
    return answer


def connections_to(port: int) -> set[int]:
    """Our own ends of the connections to a server in this process, by their port."""
    found = psutil.Process().net_connections("tcp")
    return {one.laddr.port for one in found if one.raddr and one.raddr.port == port and one.fd >= 0}


class RawServer:
    """A server that answers each connection's first request with given bytes, then closes.

    Args:
        answer: the bytes, or a function of the request that gives them.
        certificate: file of a key and its certificate, for TLS.
        then: waited for before it closes.
    """

    def __init__(
        self,
        answer: bytes | Callable[[bytes], bytes],
        certificate: Path | None = None,
        then: threading.Event | None = None,
    ) -> None:
        self.answer = answer
        self.asked: list[bytes] = []
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):  # the client may have gone: that is what many tests are about
                    self.talk()

            def talk(self) -> None:
                head = b""
                while b"\r\n\r\n" not in head and not head.startswith(b"\x16") and (piece := self.request.recv(65536)):
                    head += piece
                outer.asked.append(head)
                said = outer.answer if isinstance(outer.answer, bytes) else outer.answer(head)
                self.request.sendall(said)
                if then is not None:
                    then.wait(20)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        if certificate is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.02), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/60/40"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def ok(body: bytes, *headers: str) -> bytes:
    """A sound answer."""
    head = "\r\n".join(("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers))
    return head.encode("latin-1") + b"\r\n\r\n" + body


def to(location: str, status: int = 302) -> bytes:
    """A redirect."""
    return f"HTTP/1.1 {status} Found\r\nContent-Length: 0\r\nLocation: {location}\r\n\r\n".encode(
        "utf-8", "surrogateescape"
    )
