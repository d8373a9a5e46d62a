"""What a fault may look at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from landfall.sample_web.pictures import Picture


@dataclass(frozen=True)
class Asked:
    """What a fault may look at.

    Attributes:
        request: with the fault's own numbers in its query.
        picture: what was asked for.
        make: gives a picture's file.
        before: how often this very URL was asked before.
    """

    request: web.Request
    picture: Picture
    make: Callable[[Picture], Awaitable[bytes]]
    before: int

    async def sound(self) -> bytes:
        return await self.make(self.picture)

    def number(self, name: str, default: int) -> int:
        text = self.request.query.get(name, "")
        return int(text) if text.isascii() and text.isdigit() else default

    def answer(self, body: bytes) -> web.Response:
        return web.Response(body=body, content_type=self.picture.content_type)


Fault = Callable[[Asked], Awaitable[web.StreamResponse]]
