"""``landfall install-module``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landfall.arguments import ClientArgument


def install_module(
    client: ClientArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The module, <name>.py.", show_default=False)],
) -> None:
    """Install Python that a client's workflows name, after a look at whether it parses and defines what they name.

    It is trusted code, which runs as the run does, so it takes an admin of the client.
    """
    from landfall.installing import install
    from landfall.terminal import say

    found = install(client, file)
    module = found.module
    say(f"{module.path} is " + ("what it was" if found.before == module.digest else "installed") + ".")
    say(f"sha-256 {module.digest}" + (f", before {found.before}" if found.before not in ("", module.digest) else ""))
    if not found.actions:
        say(f'No workflow of {client} names it yet: function = "{module.path.stem}:<function>" does.', style="yellow")
    elif found.before != module.digest:
        say(f"It runs with the next run in {', '.join(found.actions)}, and what reads their tables is made again.")
