"""What operators wrote: clients and grants."""

from __future__ import annotations

from collections.abc import Iterator

from conf.client import client_ids, load_client
from conf.errors import LandfallError
from conf.files import conf_directory
from conf.grants import ALL, load_grants
from landfall.doctor.finding import Finding, mistakes, well
from landfall.terminal import count
from spark_jobs.star.described import known_columns
from spark_jobs.transforms import names


def configuration() -> Iterator[Finding]:
    """Every client's file, the transforms that they name, and the grants."""
    clients = client_ids()
    sound = 0
    for client in clients:
        try:
            load_client(client, names(), known_columns)
            sound += 1
        except LandfallError as error:
            yield from mistakes("configuration", f"client {client}", error)
    if not clients:
        yield Finding(
            "configuration",
            "clients",
            "look",
            f"No client has a file in {conf_directory()}/clients.",
            "Write one; README.md shows how.",
        )
    elif sound:
        yield well("configuration", "clients", f"{sound} of {count(len(clients), 'file')} sound")
    try:
        grants = load_grants()
    except LandfallError as error:
        yield from mistakes("configuration", "grants", error)
        return
    strangers = sorted({grant.client for grant in grants} - {ALL, *clients})
    if strangers:
        yield Finding(
            "configuration",
            "grants",
            "look",
            f"Some name clients that have no file: {', '.join(strangers)}.",
            "Correct the name in grants.toml, or write the client's file.",
        )
    else:
        yield well("configuration", "grants", count(len(grants), "grant"))
