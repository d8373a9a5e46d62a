"""Running the server: until interrupted, in a thread beside a test, or in a process of its own."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from conf.errors import ConfigError, LandfallError
from landfall.sample_web.server import Tally, app


def run(host: str, port: int, seed: int, fresh: bool, up: Callable[[], None]) -> None:
    """Serves until interrupted. ConfigError when the address is not a loopback address or is taken.

    Args:
        up: called once it answers.
    """
    listener = _listen(host, port)
    asyncio.run(_until_interrupted(listener, app(seed, fresh=fresh), up))


async def _until_interrupted(listener: socket.socket, application: web.Application, up: Callable[[], None]) -> None:
    runner = await _serve(listener, application)
    up()
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket on a loopback address; port 0 is any free one."""
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise ConfigError(f"The sample web binds to loopback only, not to {host}. Give 127.0.0.1 or leave --host out.")
    listener = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((str(address), port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"The sample web cannot have {host}:{port}: {error.strerror}. Give another --port."
        ) from error
    return listener


async def _serve(listener: socket.socket, application: web.Application) -> web.AppRunner:
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.01)  # 0 would mean for ever
    await runner.setup()
    await web.SockSite(runner, listener).start()
    return runner


def _is_ours(record: logging.LogRecord) -> bool:
    """Leaves out that a client went away in the middle of an answer: clients are killed as they please."""
    return not (isinstance(record.exc_info, tuple) and isinstance(record.exc_info[1], ConnectionError))


class SampleWeb:
    """The server on a port of 127.0.0.1, while the context lasts.

    Args:
        seed: of the pictures.
        process: in a process of its own rather than in a thread.
        port: 0 for any free one.
        options: further arguments of ``app``; with ``process`` only ``fresh`` and ``redirect_to``.
    """

    def __init__(self, seed: int = 0, *, process: bool = False, port: int = 0, **options: Any) -> None:
        self.port = port
        self._house: _Thread | _Process = _Process(seed, options) if process else _Thread(seed, options)

    @property
    def url(self) -> str:
        """``http://127.0.0.1:<port>``."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def tally(self) -> Tally:
        """What was asked since the start; a process begins anew at each resume."""
        return self._house.tally()

    @property
    def requests(self) -> Counter[str]:
        """Requests of each path with its query."""
        return self.tally.paths

    def pause(self) -> None:
        """Drops every connection and refuses new ones."""
        self._house.stop()

    def resume(self) -> None:
        """Serves again, on the same port."""
        self.port = self._house.start(self.port)

    def __enter__(self) -> Self:
        self.resume()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._house.stop()


class _Thread:
    def __init__(self, seed: int, options: dict[str, Any]) -> None:
        self._counts = Tally()
        self._make: Callable[[], web.Application] = lambda: app(seed, tally=self._counts, **options)
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], object] = lambda: None

    def tally(self) -> Tally:
        return self._counts

    def start(self, port: int) -> int:
        listener = _listen("127.0.0.1", port)
        port = int(listener.getsockname()[1])
        up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live(listener, up)), daemon=True)
        self._thread.start()
        up.wait()
        return port

    async def _live(self, listener: socket.socket, up: threading.Event) -> None:
        loop, stopping = asyncio.get_running_loop(), asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(stopping.set)
        try:
            runner = await _serve(listener, self._make())
        finally:
            up.set()
        await stopping.wait()
        await runner.cleanup()

    def stop(self) -> None:
        if self._thread is not None:
            self._stop()
            self._thread.join()
            self._thread = None


class _Process:
    def __init__(self, seed: int, options: dict[str, Any]) -> None:
        self._arguments = ["--seed", str(seed)]
        if options.pop("fresh", False):
            self._arguments.append("--fresh")
        if redirect_to := options.pop("redirect_to", ""):
            self._arguments += ["--redirect-to", redirect_to]
        if options:
            raise TypeError(f"a sample web in a process of its own takes no {', '.join(options)}")
        self._process: subprocess.Popen[str] | None = None

    def start(self, port: int) -> int:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "landfall.sample_web", "--port", str(port), *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return int(self._ask(""))

    def tally(self) -> Tally:
        return Tally(**{**(said := json.loads(self._ask("tally\n"))), "paths": Counter(said["paths"])})

    def _ask(self, words: str) -> str:
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            raise LandfallError("The sample web is not running.", "Start or resume it first.")
        self._process.stdin.write(words)
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        if not said:
            raise LandfallError("The sample web ended by itself.", "Its last words are on standard error.")
        return said

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
