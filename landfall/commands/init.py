"""``landfall init``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer


def init(
    home: Annotated[
        Path | None,
        typer.Option(
            help="Where state shall lie; left out: $LANDFALL_HOME, or ./var.", file_okay=False, show_default=False
        ),
    ] = None,
) -> None:
    """Make what Landfall needs to begin: directories, the demo's operator, a conf/ to edit where there is none.

    It may be repeated: what is there is left as it is.
    """
    from landfall.home import make_home
    from landfall.terminal import say

    made = make_home(home)
    say(f"State lies in {made.path}")
    say(
        f"The configuration lies in {made.conf}"
        + (f" ({len(made.copied)} files written to edit)" if made.copied else "")
    )
    say(f"Clients: {', '.join(made.clients) or 'none yet'}")
    if made.environment is None:
        say("There is no demo operator: people are on the directory servers that auth.url names.")
        return
    say("Say who you are with:")
    say(f"  set -a; . {shlex.quote(str(made.environment))}; set +a", style="bold")
