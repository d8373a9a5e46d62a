"""What the command line offers, read from the app itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import typer.main

from landfall.app import app


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        path: its words after ``landfall``.
        help: what it says of itself, in one line.
        example: the line that shows how it is called.
        parameters: help of each option and argument, by name.
        options: as they are written, such as ``--client``.
    """

    path: tuple[str, ...]
    help: str
    example: str
    parameters: Mapping[str, str]
    options: frozenset[str]


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[Command]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
            continue
        yield Command(
            path=(*path, name),
            help=" ".join(command.help.split("\n\n")[0].split()),
            example=command.epilog,
            parameters={parameter.name: getattr(parameter, "help", None) or "" for parameter in command.params},
            options=frozenset(option for parameter in command.params for option in parameter.opts),
        )


_APP: Any = typer.main.get_command(app)
COMMANDS: tuple[Command, ...] = tuple(_commands(_APP))
GROUPS: tuple[tuple[str, ...], ...] = (
    (),
    *((name,) for name, made in _APP.commands.items() if hasattr(made, "commands")),
)
