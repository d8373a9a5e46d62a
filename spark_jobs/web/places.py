"""How many requests may be under way, how many bytes their answers may hold, and whose time waiting for that is."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self


class Stopwatch:
    """The time of one attempt; within its context a TimeoutError ends the attempt.

    It stands still while the attempt waits for a place or for memory of our own: that is not the source's fault.
    """

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._halted = 0.0
        self._timeout = asyncio.timeout(seconds)

    @property
    def spent(self) -> float:
        """Seconds since it was made, waiting of our own left out."""
        return self._loop.time() - self._began - self._halted

    async def halted(self, waiting: Awaitable[None]) -> None:
        """Waits while the watch stands still."""
        began, end = self._loop.time(), self._timeout.when()
        self._timeout.reschedule(None)
        try:
            await waiting
        finally:
            halted = self._loop.time() - began
            self._halted += halted
            self._timeout.reschedule(None if end is None else end + halted)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._timeout.__aexit__(kind, error, trace)


class Place:
    """One place taken: ``host`` says where, None while it waits to be somewhere else."""

    def __init__(self, host: str | None) -> None:
        self.host = host


class Places:
    """Places for requests under way: so many in all, so many at one host.

    Whoever waits keeps nothing from others: a full host is passed over. An attempt keeps its place until it ends, also
    where redirects lead it; what was begun is ended before more is begun.
    """

    def __init__(self, concurrency: int, per_host: int) -> None:
        self._free = concurrency
        self._per_host = per_host
        self._taken: Counter[str] = Counter()
        self._moving: deque[tuple[str, asyncio.Future[None]]] = deque()
        self._coming: deque[tuple[str, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def at(self, host: str, watch: Stopwatch) -> AsyncIterator[Place]:
        """A place at a host, kept while the context lasts."""
        if self._has_room(host):
            self._take(host)
        else:
            await self._wait(host, watch, self._coming)
        place = Place(host)
        try:
            yield place
        finally:
            if place.host is not None:
                self._leave(place.host)

    async def move(self, place: Place, host: str, watch: Stopwatch) -> None:
        """Makes a place one at another host; when that is full, it is left to others in the meantime."""
        if place.host is None or place.host == host:
            return
        old, place.host = place.host, None
        if self._taken[host] < self._per_host:
            self._take(host)
            self._leave(old)
        else:
            self._leave(old)
            await self._wait(host, watch, self._moving)
        place.host = host

    async def _wait(self, host: str, watch: Stopwatch, queue: deque[tuple[str, asyncio.Future[None]]]) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append((host, turn))
        try:
            await watch.halted(turn)
        except asyncio.CancelledError:
            if turn.cancelled():
                queue.remove((host, turn))
            else:
                self._leave(host)
            raise

    def _has_room(self, host: str) -> bool:
        return self._free > 0 and self._taken[host] < self._per_host

    def _take(self, host: str) -> None:
        self._free -= 1
        self._taken[host] += 1

    def _leave(self, host: str) -> None:
        """Frees a place, and gives what there is now to the first who can have it."""
        self._free += 1
        self._taken[host] -= 1
        if not self._taken[host]:
            del self._taken[host]
        for queue in (self._moving, self._coming):
            for at, (waiting, turn) in enumerate(queue):
                if not turn.done() and self._has_room(waiting):
                    self._take(waiting)
                    turn.set_result(None)
                    del queue[at]
                    return


class Buffer:
    """Bytes that answers may hold at once, taken on the event loop in turn, given back from any thread.

    Args:
        capacity: in bytes; who asks for more gets all of it.
    """

    def __init__(self, capacity: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._capacity = self._free = capacity
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int, watch: Stopwatch) -> int:
        """Waits for ``size`` bytes; returns how many were taken."""
        size = min(size, self._capacity)
        with self._lock:
            if not self._queue and size <= self._free:
                self._free -= size
                return size
            turn: asyncio.Future[None] = self._loop.create_future()
            self._queue.append((size, turn))
        try:
            await watch.halted(turn)
        except asyncio.CancelledError:
            if turn.cancelled():
                self._admit()
            else:
                self.give(size)
            raise
        return size

    def give(self, size: int) -> None:
        """Gives bytes back."""
        with self._lock:
            self._free += size
            wanted = bool(self._queue)
        if wanted:
            self._loop.call_soon_threadsafe(self._admit)

    def _admit(self) -> None:
        with self._lock:
            while self._queue:
                size, turn = self._queue[0]
                if not turn.done():
                    if size > self._free:
                        return
                    self._free -= size
                    turn.set_result(None)
                self._queue.popleft()
