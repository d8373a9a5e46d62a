"""``landfall sample-web`` and ``landfall sample-catalogue``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def sample_web(
    port: Annotated[int, typer.Option(help="The port; the demo's client file lists 8200.", min=1, max=65535)] = 8200,
    host: Annotated[str, typer.Option(help="The loopback address.")] = "127.0.0.1",
    seed: Annotated[int, typer.Option(help="Another seed gives other pictures.")] = 0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Give a new picture each time that a random one is asked for.")
    ] = False,
) -> None:
    """Serve pictures as picsum.photos does, with faults on request, until Ctrl-C.

    A URL asks for a fault by ?fault=: 404, 429, damaged, truncated, html, slow, ...; a fault that is none names all.
    """
    from landfall.sample_web import run
    from landfall.terminal import complain

    place = f"http://{host}:{port}" if ":" not in host else f"http://[{host}]:{port}"
    run(host, port, seed, fresh, lambda: complain(f"Pictures are at {place}/300/200 (Ctrl-C ends it)"))


def sample_catalogue(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file to write.", dir_okay=False, show_default=False)
    ],
    lines: Annotated[int, typer.Option(help="How many lines.", min=1)] = 200,
    seed: Annotated[int, typer.Option(help="Another seed gives another mixture.")] = 0,
    faults: Annotated[bool, typer.Option("--faults", help="Mix every kind of fault in.")] = False,
    url: Annotated[str, typer.Option(help="Where the sample web answers.")] = "http://127.0.0.1:8200",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a catalogue of URLs of the sample web."""
    from conf.errors import AlreadyExists
    from landfall.sample_web import catalogue
    from landfall.terminal import count, say

    made = catalogue(url, lines, seed, None if faults else {})
    try:
        with file.open("wb" if force else "xb") as goal:
            goal.writelines(line.content + b"\n" for line in made)
    except FileExistsError:
        raise AlreadyExists(f"{file} is there already.", "Name another file, or replace it with --force.") from None
    good = sum(line.rule == "ok" for line in made)
    say(f"{count(len(made), 'line')} in {file}, of which {good:,} are meant to be accepted")
