"""A network between a client and a server that loses answers at chosen moments."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Cut:
    """Forwards bytes to a port of 127.0.0.1.

    Attributes:
        to: the server's port.
        on: a request that holds these bytes is forwarded; when its answer comes, the connection is cut instead.
        times: how often, still.
        done: how often it was cut.
        greeting: said to whoever connects, before any byte of the server.
    """

    to: int
    on: bytes
    times: int = 1
    done: int = 0
    greeting: bytes = b""
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def port(self) -> int:
        port: int = self.listener.getsockname()[1]
        return port

    def serve(self) -> None:
        """Until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                client.sendall(self.greeting)
                server = socket.create_connection(("127.0.0.1", self.to))
                cut = threading.Event()
                for source, goal in ((client, server), (server, client)):
                    threading.Thread(
                        target=self._forward, args=(source, goal, cut, source is client), daemon=True
                    ).start()

    def _forward(self, source: socket.socket, goal: socket.socket, cut: threading.Event, asks: bool) -> None:
        seen = b""
        with contextlib.suppress(OSError), source, goal:
            while piece := source.recv(1 << 16):
                if asks:
                    seen = seen[-len(self.on) :] + piece
                    if self.times and self.on in seen:
                        self.times -= 1
                        cut.set()
                elif cut.is_set():
                    self.done += 1
                    break
                goal.sendall(piece)
            for one in (source, goal):
                one.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def cutting(to: int, on: bytes, times: int = 1, greeting: bytes = b"") -> Iterator[Cut]:
    """Such a network while the block runs."""
    cut = Cut(to, on, times, greeting=greeting)
    thread = threading.Thread(target=cut.serve, daemon=True)
    thread.start()
    try:
        yield cut
    finally:
        # Closing alone would not wake whoever accepts.
        cut.listener.shutdown(socket.SHUT_RDWR)
        cut.listener.close()
        thread.join()
