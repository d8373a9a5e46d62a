"""``landfall spark start``, ``stop``, ``status`` and ``prepare``."""

from __future__ import annotations

import typer

_NOT_RUNNING = 1


def start() -> None:
    """Start a Spark Connect server that stays up, so that a run pays no start; if it runs already, that is well.

    It listens on loopback alone and asks for a token, which only you can read. Runs use it where spark.remote names it.
    """
    from conf.settings import load_settings
    from landfall.spark_server import start
    from landfall.terminal import say

    settings = load_settings()
    server, new = start(settings)
    say(f"The Spark Connect server {'is up' if new else 'was up already'} at {server.url} (process {server.pid}).")
    if not settings.spark.remote:
        say(f'To have runs use it, set remote = "{server.url}" in [spark], or LANDFALL_SPARK__REMOTE.')


def stop() -> None:
    """Stop the Spark Connect server of this home; if none runs, that is well."""
    from conf.settings import load_settings
    from landfall.spark_server import stop
    from landfall.terminal import say

    server = stop(load_settings())
    say(f"The Spark Connect server at {server.url} is stopped." if server else "No Spark Connect server ran.")


def status() -> None:
    """Say whether the Spark Connect server of this home runs; ends with 1 if it does not."""
    from conf.settings import load_settings
    from landfall.spark_server import running
    from landfall.terminal import say

    server = running(load_settings())
    if server is None:
        say("No Spark Connect server runs here. Start it: landfall spark start")
        raise typer.Exit(_NOT_RUNNING)
    if not server.answers():
        say(f"The Spark Connect server (process {server.pid}) runs, but does not answer at {server.url}.")
        raise typer.Exit(_NOT_RUNNING)
    say(f"The Spark Connect server answers at {server.url} (process {server.pid}, master {server.master}).")


def prepare() -> None:
    """Make the archive of Spark's classes that lets runs start sooner: once an environment, and again after a new Java.

    `make` has done it. Runs do without it if it is missing or does not fit.
    """
    from landfall.terminal import say, size
    from spark_jobs.session.classes import make

    made = make()
    say(f"Runs start with the classes in {made} ({size(made.stat().st_size)}) from now on.")
