"""The landing: whether clients can drop, and whether what they drop can be claimed."""

from __future__ import annotations

import os
from collections.abc import Iterator

from conf.client import client_ids, load_client
from conf.errors import LandfallError
from conf.settings import Settings
from landfall.doctor.finding import Finding, well
from landfall.doctor.machine import space
from landfall.terminal import count
from spark_jobs.transforms import names
from targets.landing.layout import LandingLayout

_PART = "landing"
_MAKE = "Run landfall init; where clients come by SFTP, landfall sftp config --apply."


def landing(settings: Settings) -> Iterator[Finding]:
    """Every feed's directories, and that a claim is a rename: all on one file system."""
    root = settings.landing_root
    if not root.is_dir():
        yield Finding(_PART, "reach", "ill", f"There is no {root}.", "Run landfall init.")
        return
    yield well(_PART, "reach", str(root))
    missing, apart = [], []
    for client in client_ids():
        try:
            feeds = load_client(client, names()).feeds
        except LandfallError:
            continue  # the configuration's own finding
        layout = LandingLayout(root, client)
        for feed in feeds:
            incoming = layout.incoming / feed
            if not (incoming.is_dir() and layout.outbox(feed).is_dir()):
                missing.append(f"{client}/{feed}")
            elif incoming.stat().st_dev != root.stat().st_dev:
                apart.append(str(incoming))
            elif not os.access(incoming, os.W_OK | os.X_OK):
                yield Finding(
                    _PART, "rights", "ill", f"{incoming} cannot be written.", "Give this user the right to it."
                )
    if missing:
        yield Finding(_PART, "feeds", "look", f"No directories yet: {', '.join(missing)}.", _MAKE)
    else:
        yield well(_PART, "feeds", "each has incoming and outbox")
    if apart:
        yield Finding(
            _PART,
            "one file system",
            "ill",
            f"{count(len(apart), 'directory is', 'directories are')} on another than {root}: {', '.join(apart)}.",
            "A claim is a rename: keep incoming on the landing's own file system.",
        )
    yield space(_PART, "space", root)
