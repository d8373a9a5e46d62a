"""The server: which URL is which picture, and where it sends on to."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web
from multidict import MultiDict

from landfall.sample_web import faults
from landfall.sample_web.pictures import CONTENT_TYPES, COUNT, MAX_SIDE, Picture, Shelf, encode

_SIDE = r"[0-9]{1,5}"
_LARGE = 500_000  # pixels; a larger picture is made beside the event loop
_NAMED_PATHS = 100_000  # requests are counted for each of so many paths


@dataclass
class Tally:
    """What the server was asked.

    Attributes:
        total: requests.
        paths: requests of each path with its query.
        under_way: requests being answered now.
        most_under_way: the most there ever were at once.
    """

    total: int = 0
    paths: Counter[str] = field(default_factory=Counter)
    under_way: int = 0
    most_under_way: int = 0

    def begin(self, path: str) -> None:
        self.total += 1
        if path in self.paths or len(self.paths) < _NAMED_PATHS:
            self.paths[path] += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)

    def end(self) -> None:
        self.under_way -= 1


def app(
    seed: int = 0,
    *,
    fresh: bool = False,
    redirect_to: str = "",
    cache_bytes: int = 64 << 20,
    tally: Tally | None = None,
) -> web.Application:
    """The application.

    Args:
        seed: the same seed gives the same pictures.
        fresh: ``/W/H`` gives another picture each time, as picsum does; else one for each path and query.
        redirect_to: host:port that pictures are sent on to; empty: the host that was asked.
        cache_bytes: how much of the pictures made is kept.
        tally: takes the counts.
    """
    gallery = _Gallery(seed, fresh, redirect_to, Shelf(cache_bytes))
    counts = tally or Tally()

    @web.middleware
    async def count(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        counts.begin(request.path_qs)
        try:
            return await handler(request)
        except ConnectionResetError:  # the client has gone, which is its right
            return web.Response()
        finally:
            counts.end()

    made = web.Application(middlewares=[count])
    made.add_routes(
        [
            web.get("/", gallery.about),
            web.get(f"/{{width:{_SIDE}}}", gallery.anything),
            web.get(f"/{{width:{_SIDE}}}/{{height:{_SIDE}}}", gallery.anything),
            web.get(f"/seed/{{seed}}/{{width:{_SIDE}}}", gallery.anything),
            web.get(f"/seed/{{seed}}/{{width:{_SIDE}}}/{{height:{_SIDE}}}", gallery.anything),
            web.get(f"/id/{{number:[0-9]{{1,9}}}}/{{width:{_SIDE}}}", gallery.named),
            web.get(f"/id/{{number:[0-9]{{1,9}}}}/{{width:{_SIDE}}}/{{height:{_SIDE}}}", gallery.named),
            web.get(
                f"/id/{{number:[0-9]{{1,9}}}}/{{width:{_SIDE}}}/{{height:{_SIDE}}}.{{suffix:jpg|webp}}", gallery.named
            ),
        ]
    )
    return made


class _Gallery:
    def __init__(self, seed: int, fresh: bool, redirect_to: str, shelf: Shelf) -> None:
        self._seed = seed
        self._fresh = fresh
        self._redirect_to = redirect_to
        self._shelf = shelf
        self._key = f"landfall sample web {seed}".encode()
        self._answered: Counter[str] = Counter()

    async def about(self, _request: web.Request) -> web.Response:
        return web.Response(
            text="Pictures: /W/H  /S  /id/N/W/H  /seed/X/W/H  ?grayscale  ?blur=1..10\n"
            f"?format=  {' '.join(CONTENT_TYPES)}\n?fault=   {' '.join(sorted(faults.FAULTS))}\n"
        )

    async def anything(self, request: web.Request) -> web.StreamResponse:
        """Some picture of a size: chosen by the path, or, when fresh, by chance."""
        named = request.match_info.get("seed")
        chance = f"seed {named}" if named is not None else request.path_qs
        number = self._number(chance) if named is not None or not self._fresh else random.randrange(COUNT)  # noqa: S311 (no secret)
        return await self._send(request, number, found=False)

    async def named(self, request: web.Request) -> web.StreamResponse:
        """The picture of a number; sent on to its signed URL first."""
        return await self._send(request, int(request.match_info["number"]), found="hmac" in request.query)

    async def _send(self, request: web.Request, number: int, found: bool) -> web.StreamResponse:
        asked = _asked(request, number)
        fault = request.query.get("fault")
        if fault is not None:
            return await faults.answer(fault, request, asked, self._picture, self._answered)
        where = f"/id/{number}/{asked.width}/{asked.height}.{'webp' if asked.kind == 'webp' else 'jpg'}"
        query = MultiDict((name, value) for name, value in request.query.items() if name != "hmac")
        signed = where + "?" + "&".join(f"{name}={value}" for name, value in sorted(query.items()))
        signature = hmac.new(self._key, signed.encode(), hashlib.sha256).hexdigest()[:43]
        if found:
            if not hmac.compare_digest(request.query["hmac"].encode(), signature.encode()):
                raise web.HTTPForbidden(text="Invalid parameters\n")
            return web.Response(
                body=await self._picture(asked),
                content_type=asked.content_type,
                headers={"Picsum-ID": str(number), "Cache-Control": "public, max-age=2592000"},
            )
        place = request.url.with_path(where).with_query(query).update_query(hmac=signature)
        if self._redirect_to:
            host, _, port = self._redirect_to.partition(":")
            place = place.with_host(host).with_port(int(port) if port else None)
        return web.Response(status=302, headers={"Location": str(place), "Cache-Control": "no-cache, no-store"})

    async def _picture(self, asked: Picture) -> bytes:
        file = self._shelf.get(asked)
        if file is None:
            if asked.width * asked.height > _LARGE:
                file = await asyncio.to_thread(encode, self._seed, asked)
            else:
                file = encode(self._seed, asked)
            self._shelf.put(asked, file)
        return file

    def _number(self, chance: str) -> int:
        digest = hashlib.blake2b(f"{self._seed} {chance}".encode(errors="surrogateescape"), digest_size=8).digest()
        return int.from_bytes(digest) % COUNT


def _asked(request: web.Request, number: int) -> Picture:
    width = int(request.match_info["width"])
    height = int(request.match_info.get("height", width))
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise web.HTTPBadRequest(text="Invalid size\n")
    blur = request.query.get("blur", "0") or "5"
    if not re.fullmatch("[0-9]|10", blur):
        raise web.HTTPBadRequest(text="Invalid blur amount\n")
    kind = request.query.get("format", request.match_info.get("suffix", "jpg"))
    if kind not in CONTENT_TYPES:
        raise web.HTTPBadRequest(text=f"Invalid format; there are {', '.join(CONTENT_TYPES)}\n")
    return Picture(number % COUNT, width, height, "grayscale" in request.query, int(blur), kind)
