"""What drives libcurl: it says which sockets and what time it waits for, and is told when that has come."""

from __future__ import annotations

import math
import selectors
import time

import pycurl


class Driver:
    """libcurl's multi interface on a selector, which may know more sockets than select() could.

    libcurl lets a socket go with each answer and wants it back with the next request: what it wants is not told the
    selector before we wait. What else is registered has a function as its key's data, which is called.
    """

    def __init__(self, connections: int) -> None:
        self.selector = selectors.DefaultSelector()
        self._watched: dict[int, int] = {}
        self._wanted: dict[int, int] = {}
        self._due = math.inf
        self.multi = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_MAXCONNECTS, connections)
        self.multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_wanted)
        self.multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)

    def close(self) -> None:
        self.multi.close()
        self.selector.close()

    def fire(self) -> bool:
        """Has libcurl do what it need not wait for any longer, such as to send what was just begun; whether it had."""
        if self._due > time.monotonic():
            return False
        self._due = math.inf
        self.multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        return True

    def wait(self, seconds: float) -> None:
        """Waits until something happens, so long at most, and has libcurl see to it."""
        self._watch()
        until_due = self._due - time.monotonic()
        wait = max(0.0, min(seconds, until_due))
        for key, ready in self.selector.select(None if math.isinf(wait) else wait):
            if key.data is not None:
                key.data()
            else:
                self.multi.socket_action(key.fd, ready)  # selectors and libcurl have the same numbers for what is ready
        self.fire()

    def forget_closed(self) -> None:
        """To be called before a socket is opened: it may get the number of one that libcurl has let go and closed."""
        for fd, wanted in self._wanted.items():
            if not wanted and self._watched.pop(fd, 0):
                self.selector.unregister(fd)
        self._wanted = {fd: wanted for fd, wanted in self._wanted.items() if wanted}

    def _watch(self) -> None:
        for fd, wanted in self._wanted.items():
            watched = self._watched.get(fd, 0)
            if wanted == watched:
                continue
            if not wanted:
                self.selector.unregister(fd)
                del self._watched[fd]
                continue
            if watched:
                self.selector.modify(fd, wanted)
            else:
                self.selector.register(fd, wanted)
            self._watched[fd] = wanted
        self._wanted.clear()

    def _on_wanted(self, what: int, fd: int, _multi: pycurl.CurlMulti, _data: object) -> None:
        self._wanted[fd] = 0 if what == pycurl.POLL_REMOVE else what

    def _on_timer(self, milliseconds: int) -> None:
        self._due = math.inf if milliseconds < 0 else time.monotonic() + milliseconds / 1000
