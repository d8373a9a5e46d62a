"""Connections to MongoDB: one MongoClient a process and place, made where it is used, never handed on by a fork."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Mapping
from typing import Any

from pymongo import MongoClient

from targets.image_store.mongo.place import Place

Client = MongoClient[Mapping[str, Any]]

# Those that nobody uses just now; the next shard's task needs its client again, and logging in costs more than a bulk.
_MOST_IDLE = 4


class _Pool:
    """The clients of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: dict[Place, int] = {}
        self._clients: dict[Place, Client] = {}
        # A child must not close what its parent uses, nor warn that it is not closed.
        self._of_parents: list[Client] = []

    def acquire(self, place: Place) -> Client:
        with self._lock:
            client = self._clients.pop(place, None) or MongoClient(**place.options())
            self._clients[place] = client  # the last one is the one used last
            self._users[place] = self._users.get(place, 0) + 1
            return client

    def release(self, place: Place) -> None:
        with self._lock:
            self._users[place] -= 1
            idle = [one for one in self._clients if not self._users[one]]
            for one in idle[: max(len(idle) - _MOST_IDLE, 0)]:
                self._close(one)

    def close_idle(self) -> None:
        """Closes what nobody uses."""
        with self._lock:
            for one in [one for one in self._clients if not self._users[one]]:
                self._close(one)

    def forget(self) -> None:
        """In a child: what was its parent's."""
        self._lock = threading.Lock()
        self._of_parents += self._clients.values()
        self._users, self._clients = {}, {}

    def _close(self, place: Place) -> None:
        del self._users[place]
        self._clients.pop(place).close()


_pool = _Pool()
os.register_at_fork(after_in_child=_pool.forget)
acquire, release, close_idle = _pool.acquire, _pool.release, _pool.close_idle
atexit.register(close_idle)
