"""``landfall images list|get|verify|rebuild``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from landfall.arguments import ClientOption, FeedOption

if TYPE_CHECKING:
    from landfall.query import Result

_DAMAGED = 65
_SHORT_IMAGE, _SHORT_DROP = 16, 12


def list_images(
    client: ClientOption,
    feed: FeedOption = None,
    limit: Annotated[int, typer.Option(help="How many at most; 0: all.", min=0)] = 50,
    form: Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How it is written.")] = "table",
) -> None:
    """List the pictures of the published drops: id, size, format, bytes, and a line that led to each.

    The table shows how ids begin, which is enough for `images get`; csv and json have all of them.
    """
    from landfall.pictures import listing
    from landfall.query import render

    found = listing(client, feed, limit or None)
    render(_shortened(found) if form == "table" else found, form)


def get(
    image: Annotated[str, typer.Argument(metavar="ID", help="The picture's id, or how it begins.", show_default=False)],
    client: ClientOption,
    output: Annotated[
        Path | None,
        typer.Option(help="The file to write; left out: <id>.<format> here.", dir_okay=False, show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write one gray picture into a file."""
    from conf.errors import AlreadyExists, NotFound
    from landfall.stored import stored
    from landfall.terminal import say, size
    from targets.local import LocalFileSystem

    picture = stored(client, image)
    file = (output or Path(picture.file_name)).absolute()
    if not file.parent.is_dir():
        raise NotFound(f"There is no directory {file.parent}.", "Make it, or name another --output.")
    if force:
        file.unlink(missing_ok=True)
    try:
        LocalFileSystem().create(str(file), picture.content)
    except AlreadyExists as error:
        raise AlreadyExists(
            f"{file} is there already.", "Name another --output, or replace it with --force."
        ) from error
    say(f"{file} ({picture.width}x{picture.height}, {size(len(picture.content))})")


def verify(client: ClientOption) -> None:
    """Hash and decode every published picture anew, and name each that is damaged or missing (exit code 65)."""
    from rich.console import Console
    from rich.progress import Progress

    from landfall.terminal import count, say
    from landfall.verification import Verification

    bad = 0
    # The bar goes to standard error, where it does not mix with the names.
    errors = Console(stderr=True)
    bar = Progress(console=errors, transient=True, disable=not errors.is_terminal)
    with Verification(client) as verification, bar:
        task = bar.add_task("pictures", total=verification.total)
        for image, problem in verification:
            bar.advance(task)
            if problem:
                bad += 1
                say(f"{image}  {problem}", style="red")
    if bad:
        say(f"{bad:,} of {count(verification.total, 'picture')} damaged or missing.", style="red")
        say(f"The lake still holds them: `landfall images rebuild --client {client}` puts back what is missing.")
        raise typer.Exit(_DAMAGED)
    say(f"{count(verification.total, 'picture')}, all as published.", style="green")


def rebuild(client: ClientOption, feed: FeedOption = None) -> None:
    """Fill the image store again from the lake, and prove that it holds what was published (exit code 65 if not)."""
    from rich.console import Console
    from rich.progress import Progress

    from landfall.rebuilding import rebuild as fill
    from landfall.terminal import count, say

    errors = Console(stderr=True)
    bar = Progress(console=errors, transient=True, disable=not errors.is_terminal)
    with bar:
        task = bar.add_task("begins", total=1.0)
        done = fill(client, feed, lambda share, what: bar.update(task, completed=share, description=what))
    say(
        f"{count(done.new + done.present, 'picture')} of {count(done.drops, 'drop')}: "
        f"{done.new:,} put back, {done.present:,} were there."
    )
    if done.proved:
        say(f"The store holds all {count(done.published, 'picture')} that the star names, as published.", style="green")
        return
    if done.wrong:
        say(
            f"{count(done.wrong, 'picture')} in the store {'is' if done.wrong == 1 else 'are'} not what was made.",
            style="red",
        )
        say(
            f"`landfall images verify --client {client}` names them. Nothing in a store is ever changed: have them "
            "removed from it, then rebuild again."
        )
    if done.unmade:
        say(f"{count(done.unmade, 'picture')} that the star names are in no Transform output of the lake.", style="red")
    raise typer.Exit(_DAMAGED)


def _shortened(found: Result) -> Result:
    """The listing as it fits a terminal."""
    from landfall.query import Result

    short = {"image_id": _SHORT_IMAGE, "drop": _SHORT_DROP}
    shown = tuple(name for name in found.columns if name != "transforms")
    rows = (dict(zip(found.columns, row, strict=True)) for row in found.rows)
    return Result(
        shown, (tuple(row[name][: short[name]] if name in short else row[name] for name in shown) for row in rows)
    )
