"""Faults of the connection: it breaks, dribbles, or never ends."""

from __future__ import annotations

import asyncio
import functools
import socket
import struct
import zlib
from collections.abc import Iterator

from aiohttp import web

from landfall.sample_web.asked import Asked

_BLOCK = 64 << 10


async def cut(asked: Asked) -> web.StreamResponse:
    """The connection is closed in the middle of the body."""
    file = await asked.sound()
    response = web.StreamResponse(headers={"Content-Length": str(len(file)), "Content-Type": "image/jpeg"})
    await response.prepare(asked.request)
    await response.write(file[: len(file) // 2])
    _hang_up(asked.request)
    return response


async def reset(asked: Asked) -> web.StreamResponse:
    """The connection is reset (RST) without an answer."""
    transport = asked.request.transport
    if transport is not None:
        plug: socket.socket = transport.get_extra_info("socket")
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def protocol(asked: Asked) -> web.StreamResponse:
    """No HTTP at all."""
    if asked.request.transport is not None:
        asked.request.transport.write(b"\x00\xff is this HTTP? \r\n\r\n<html>" + b"nonsense" * 20)
    _hang_up(asked.request)
    return web.Response()


async def slow(asked: Asked) -> web.StreamResponse:
    """The body in 20 drops over ``&seconds=`` (5)."""
    file = await asked.sound()
    response = web.StreamResponse(headers={"Content-Length": str(len(file)), "Content-Type": "image/jpeg"})
    await response.prepare(asked.request)
    step = max(1, -(-len(file) // 20))
    for at in range(0, len(file), step):
        await asyncio.sleep(asked.number("seconds", 5) / 20)
        await response.write(file[at : at + step])
    return response


async def large(asked: Asked) -> web.StreamResponse:
    """``&bytes=`` (64 MiB) zeros; with ``&chunked`` their number is not told beforehand."""
    size = asked.number("bytes", 64 << 20)
    response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
    if "chunked" not in asked.request.query:
        response.content_length = size
    return await _stream(asked.request, response, (bytes(min(_BLOCK, size - at)) for at in range(0, size, _BLOCK)))


async def gzip_bomb(asked: Asked) -> web.StreamResponse:
    """``&bytes=`` (64 MiB) zeros as gzip, a thousandth of that on the wire."""
    response = web.StreamResponse(headers={"Content-Type": "image/jpeg", "Content-Encoding": "gzip"})
    return await _stream(asked.request, response, iter(_zipped(asked.number("bytes", 64 << 20))))


@functools.lru_cache(2)
def _zipped(size: int) -> list[bytes]:
    zipper = zlib.compressobj(wbits=31)
    return [*(zipper.compress(bytes(min(_BLOCK, size - at))) for at in range(0, size, _BLOCK)), zipper.flush()]


async def _stream(request: web.Request, response: web.StreamResponse, blocks: Iterator[bytes]) -> web.StreamResponse:
    await response.prepare(request)
    for block in blocks:
        if block:
            await response.write(block)
    return response


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()
