"""Faults on request: ``?fault=<name>``, each an answer that a bad source might give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

from aiohttp import web

from landfall.sample_web import connections, damage
from landfall.sample_web.asked import Asked, Fault
from landfall.sample_web.pictures import Picture

_COUNTED = 100_000  # URLs whose answers are counted, for those that fail a few times and then do not


async def answer(
    name: str,
    request: web.Request,
    picture: Picture,
    make: Callable[[Picture], Awaitable[bytes]],
    answered: Counter[str],
) -> web.StreamResponse:
    """The answer of a fault; 400 when there is no such fault."""
    fault = FAULTS.get(name)
    if fault is None:
        raise web.HTTPBadRequest(text=f"Invalid fault; there are {', '.join(sorted(FAULTS))}\n")
    if len(answered) > _COUNTED:
        answered.clear()
    answered[request.path_qs] += 1
    return await fault(Asked(request, picture, make, answered[request.path_qs] - 1))


def _status(code: int) -> Fault:
    async def give(_asked: Asked) -> web.StreamResponse:
        return web.Response(status=code, text=f"{code}\n")

    return give


async def _busy(asked: Asked) -> web.StreamResponse:
    """429 with Retry-After (``&after=``, 1), the first ``&times=`` (1) times."""
    if asked.before < asked.number("times", 1):
        after = asked.request.query.get("after", "1")
        return web.Response(status=429, headers={"Retry-After": after}, text="429\n")
    return asked.answer(await asked.sound())


async def _flaky(asked: Asked) -> web.StreamResponse:
    """503, the first ``&times=`` (1) times."""
    if asked.before < asked.number("times", 1):
        return web.Response(status=503, text="503\n")
    return asked.answer(await asked.sound())


async def _damaged(asked: Asked) -> web.StreamResponse:
    """Bytes changed in mid-scan; Pillow decodes it all the same."""
    return asked.answer(damage.flipped(await asked.sound()))


async def _truncated(asked: Asked) -> web.StreamResponse:
    """The first two thirds, with their own Content-Length."""
    file = await asked.sound()
    return asked.answer(file[: len(file) * 2 // 3])


async def _wrong_size(asked: Asked) -> web.StreamResponse:
    """A larger picture than was asked for."""
    picture = asked.picture
    return asked.answer(await asked.make(picture._replace(width=picture.width + 7, height=picture.height + 3)))


async def _html(asked: Asked) -> web.StreamResponse:
    """A page that calls itself a picture."""
    return asked.answer(b"<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>\n")


async def _empty(asked: Asked) -> web.StreamResponse:
    return asked.answer(b"")


async def _pixels(_asked: Asked) -> web.StreamResponse:
    """A header that claims 20,000 x 20,000 pixels."""
    return web.Response(body=damage.vast(), content_type="image/png")


async def _loop(asked: Asked) -> web.StreamResponse:
    return _redirect(str(asked.request.url))


async def _far(asked: Asked) -> web.StreamResponse:
    """``&hops=`` (20) redirects, then the picture."""
    left = asked.number("hops", 20)
    if left:
        return _redirect(str(asked.request.url.update_query(hops=left - 1)))
    return asked.answer(await asked.sound())


async def _private(_asked: Asked) -> web.StreamResponse:
    """A redirect to where a cloud keeps its machines' secrets."""
    return _redirect("http://169.254.169.254/latest/meta-data/")


async def _elsewhere(asked: Asked) -> web.StreamResponse:
    """A redirect to ``&to=``, by default a host that no feed lists."""
    return _redirect(asked.request.query.get("to", "http://elsewhere.example/picture.jpg"))


def _redirect(location: str) -> web.Response:
    return web.Response(status=302, headers={"Location": location})


FAULTS: dict[str, Fault] = {
    **{str(code): _status(code) for code in (404, 410, 500, 503)},
    "429": _busy,
    "flaky": _flaky,
    "damaged": _damaged,
    "truncated": _truncated,
    "wrongsize": _wrong_size,
    "html": _html,
    "empty": _empty,
    "pixels": _pixels,
    "cut": connections.cut,
    "reset": connections.reset,
    "protocol": connections.protocol,
    "slow": connections.slow,
    "large": connections.large,
    "gzipbomb": connections.gzip_bomb,
    "loop": _loop,
    "far": _far,
    "private": _private,
    "redirect": _elsewhere,
}
