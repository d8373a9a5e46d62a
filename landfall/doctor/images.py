"""The image store."""

from __future__ import annotations

import os
from collections.abc import Iterator

from conf.client import client_ids
from conf.errors import LandfallError
from conf.settings import Settings
from landfall.doctor.finding import Finding, ill, well
from landfall.doctor.machine import space
from landfall.terminal import count

_PART = "images"


def images(settings: Settings) -> Iterator[Finding]:
    """Reach, rights and versions."""
    yield from _mongo(settings) if settings.images.url.startswith("mongodb") else _sqlite(settings)


def _sqlite(settings: Settings) -> Iterator[Finding]:
    root = settings.store_root
    if not root.is_dir():
        yield Finding(_PART, "reach", "ill", f"There is no {root}.", "Run landfall init.")
        return
    if not os.access(root, os.W_OK | os.X_OK):
        yield Finding(_PART, "rights", "ill", f"{root} cannot be written.", "Run as the user that owns it.")
        return
    yield well(_PART, "reach", f"SQLite below {root}")
    yield space(_PART, "space", root)


def _mongo(settings: Settings) -> Iterator[Finding]:
    """Each client's database, as its own user; nobody is waited for."""
    from targets.image_store.mongo import MongoImageStore, place_of

    versions, missing, sound = set(), [], 0
    for client in client_ids():
        try:
            with MongoImageStore(place_of(settings, client)) as store:
                found = store.examine()
        except LandfallError as error:
            yield ill(_PART, f"client {client}", error)
            continue
        versions.add(found.version)
        missing += [] if found.prepared else [client]
        sound += 1
    if sound:
        yield well(_PART, "reach", f"MongoDB {', '.join(sorted(versions))}, {count(sound, 'database')} reached")
    if missing:
        what = f"Not prepared yet: {', '.join(missing)}."
        yield Finding(_PART, "prepared", "look", what, "Run landfall init, or the client: its Store stage prepares it.")
    if settings.mongo.tls:
        yield well(_PART, "encryption", "TLS, with the certificate and the host's name checked")
    else:
        yield Finding(_PART, "encryption", "look", "mongo.tls is off.", "Turn it on; prod refuses to run without.")
    if not settings.mongo.user:
        yield Finding(_PART, "rights", "look", "Clients have no database users.", "Set mongo.user; prod refuses.")
