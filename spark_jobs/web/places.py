"""How many requests may be under way, and how many bytes their answers may hold."""

from __future__ import annotations

from collections import Counter, deque
from typing import Generic, TypeVar

Visitor = TypeVar("Visitor")


class Places(Generic[Visitor]):
    """Places for requests under way: so many in all, so many at one host.

    Whoever waits keeps nothing from others: a full host is passed over. An attempt keeps its place until it ends, also
    where redirects lead it; what was begun is ended before more is begun.

    Attributes:
        admitted: who was given a place, until somebody takes them out and has them begin.
    """

    def __init__(self, concurrency: int, per_host: int) -> None:
        self.admitted: deque[Visitor] = deque()
        self._free = concurrency
        self._per_host = per_host
        self._taken: Counter[str] = Counter()
        self._moving: deque[tuple[str, Visitor]] = deque()
        self._coming: deque[tuple[str, Visitor]] = deque()

    def come(self, host: str, visitor: Visitor) -> None:
        """Asks for a place at a host: now, or in turn."""
        if self._has_room(host):
            self._admit(host, visitor)
        else:
            self._coming.append((host, visitor))

    def move(self, old: str, host: str, visitor: Visitor) -> None:
        """Makes a place one at another host; when that is full, it is left to others in the meantime."""
        if host == old:
            self.admitted.append(visitor)
            return
        if self._taken[host] < self._per_host:
            self._admit(host, visitor)
        else:
            self._moving.append((host, visitor))
        self.leave(old)

    def leave(self, host: str) -> None:
        """Frees a place, and gives what there is now to the first who can have it."""
        self._free += 1
        self._taken[host] -= 1
        if not self._taken[host]:
            del self._taken[host]
        for queue in (self._moving, self._coming):
            for at, (wanted, visitor) in enumerate(queue):
                if self._has_room(wanted):
                    del queue[at]
                    self._admit(wanted, visitor)
                    return

    def _has_room(self, host: str) -> bool:
        return self._free > 0 and self._taken[host] < self._per_host

    def _admit(self, host: str, visitor: Visitor) -> None:
        self._free -= 1
        self._taken[host] += 1
        self.admitted.append(visitor)


class Buffer(Generic[Visitor]):
    """Bytes that answers may hold at once, taken in turn: the small do not overtake the large.

    Args:
        capacity: in bytes; nobody may ask for more.

    Attributes:
        admitted: who waited and was given bytes, until somebody takes them out and has them go on.
    """

    def __init__(self, capacity: int) -> None:
        self.admitted: deque[Visitor] = deque()
        self._free = capacity
        self._queue: deque[tuple[int, Visitor]] = deque()

    def take(self, size: int, visitor: Visitor) -> bool:
        """Takes bytes now, or in turn; whether it was now."""
        if self._queue or size > self._free:
            self._queue.append((size, visitor))
            return False
        self._free -= size
        return True

    def give(self, size: int) -> None:
        """Gives bytes back."""
        self._free += size
        while self._queue and self._queue[0][0] <= self._free:
            size, visitor = self._queue.popleft()
            self._free -= size
            self.admitted.append(visitor)

    def forget(self, size: int, visitor: Visitor) -> None:
        """Has a visitor wait no longer for as many bytes, or gives them back when it did not take them up yet."""
        if visitor in self.admitted:
            self.admitted.remove(visitor)
            self.give(size)
        else:
            self._queue = deque(waiting for waiting in self._queue if waiting[1] is not visitor)
            self.give(0)
