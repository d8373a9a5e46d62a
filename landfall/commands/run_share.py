"""``landfall run-share``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer


def run_share(
    index: Annotated[int, typer.Option(help="Which share of the clients, from 0.", min=0)] = 0,
    of: Annotated[int, typer.Option(help="How many shares there are.", min=1)] = 1,
    every: Annotated[float, typer.Option(help="Seconds from one round's beginning to the next's.", min=1)] = 60,
    once: Annotated[bool, typer.Option("--once", help="One round only; 1 if a run did not end well.")] = False,
    longest: Annotated[float, typer.Option(help="Seconds that one run may take.", min=1)] = 6 * 60 * 60,
    scheduler: Annotated[
        str,
        typer.Option(
            metavar="URL", help="A luigid, such as http://127.0.0.1:8082; left out: none.", show_default=False
        ),
    ] = "",
    alive: Annotated[
        Path | None,
        typer.Option(help="A file to touch as long as this lives, for a health check.", show_default=False),
    ] = None,
) -> None:
    """Run a share of the clients that you may run, each in turn, again and again: for a machine or container of many.

    A new client needs only its file. One client's failure touches no other; it is tried again in the next round.
    SIGTERM ends it, with 0.
    """
    from conf.errors import AccessDenied, LandfallError
    from landfall.share import Runner, stopping
    from landfall.terminal import count, say

    if index >= of:
        raise typer.BadParameter(f"shares are numbered from 0 to {of - 1}", param_hint="--index")
    with stopping() as stop:
        runner = Runner(index, of, scheduler, longest, alive, stop, lambda sentence: say(sentence))
        while True:
            began = time.monotonic()
            done = runner.round()
            if stop.is_set():
                return
            if once:
                break
            runner.rest(max(began + every, time.monotonic() + 1))
    if done.failed:
        raise LandfallError(f"{count(done.failed, 'run')} did not end well.", "`landfall status` says what is wrong.")
    if done.left_out and not done.ran:
        raise AccessDenied("None of the share's clients may be run.", "Ask an admin of theirs for a grant.")
