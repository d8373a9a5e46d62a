"""``landfall demo``."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path


def demo() -> None:
    """Run the main job on a sample catalogue, and show what came of it.

    The same again drops the same catalogue: nothing is fetched, and the receipt says so.
    """
    from landfall import demonstration as demo
    from landfall.commands.check import begin, show_counts
    from landfall.commands.drop import put
    from landfall.terminal import count, say

    home = demo.prepare()
    say(f"State lies in {home.path}")
    file, meant = demo.write_catalogue(home.path)
    with demo.sample_web() as web:
        _title(f"landfall check {demo.CLIENT} {demo.FEED} {_short(file)}")
        checking = begin(demo.CLIENT, demo.FEED, file)
        for _ in checking.lines():
            continue
        show_counts(checking)
        _title(f"landfall drop {demo.CLIENT} {demo.FEED} {_short(file)}")
        before = demo.receipts()
        put(demo.CLIENT, demo.FEED, [file])
        _title(f"luigi --module pipelines RunClient --client {demo.CLIENT} --local-scheduler")
        demo.run_client(home)
        asked = web.tally.total
        say(
            f"The sample web was asked {count(asked, 'time')}."
            if asked
            else "Nothing was fetched: all of it came before."
        )
    _title("The receipt")
    for receipt in sorted(demo.receipts() - before):
        demo.show_receipt(receipt, meant)
    demo.show_star()
    _show_next(str(home.environment))


def _title(text: str) -> None:
    from landfall.terminal import say

    say()
    say(text, style="bold")


def _short(path: object) -> str:
    """A path below the working directory, as a person writes it."""
    relative = os.path.relpath(str(path))
    return str(path) if relative.startswith("..") else relative


def _show_next(environment: str) -> None:
    from landfall.terminal import say

    _title("Where to look next")
    for line in (
        *_activation(),
        f"set -a; . {shlex.quote(_dotted(environment))}; set +a",
        "landfall status --client demo",
        'landfall query --client demo "SELECT * FROM dim_image LIMIT 5"',
        "landfall images list --client demo",
        "landfall logs --client demo --last 20",
        "landfall --help",
    ):
        say(f"  {line}")


def _activation() -> list[str]:
    """What makes a shell find ``landfall``, where it does not yet."""
    activate = Path(sys.prefix) / "bin" / "activate"
    return (
        [f". {shlex.quote(_dotted(str(activate)))}"] if shutil.which("landfall") is None and activate.exists() else []
    )


def _dotted(path: str) -> str:
    """A path for ``.``, which looks a name without a slash up in PATH."""
    short = _short(path)
    return short if "/" in short else f"./{short}"
