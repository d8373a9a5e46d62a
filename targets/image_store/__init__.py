"""Image stores: a client's gray pictures in base64, by id; a copy that can be rebuilt from the lake at any time."""

from __future__ import annotations

from collections.abc import Callable

from conf.errors import ConfigError
from conf.names import is_name
from conf.settings import Settings
from targets.image_store.content import content_of
from targets.image_store.protocol import ImageDocument, ImageStore, Inserted
from targets.image_store.sqlite import SqliteImageStore

__all__ = ["ImageDocument", "ImageStore", "Inserted", "content_of", "open_store", "takes_early"]


def open_store(
    settings: Settings, client: str, prepare: bool = False, tell: Callable[[str], None] | None = None
) -> ImageStore:
    """The client's image store, to be closed after use.

    Args:
        prepare: make what is missing for writing; once, before workers start.
        tell: told, as a sentence, of each time that a server which is away is waited for; None: it is not waited for.

    Raises:
        ConfigError: ``client`` is no client's id.
        StorageError: the store cannot be made.
        Damaged: what is in its place is no image store.
    """
    if not is_name(client):
        raise ConfigError(f"The client {client!r} is no client's id, so it has no image store.")
    store = _store(settings, client, tell)
    if prepare:
        try:
            store.prepare()
        except BaseException:
            store.close()
            raise
    return store


def takes_early(settings: Settings) -> bool:
    """Whether those who make pictures may put them into the store: if they reach it, and ``present`` tells of them."""
    here = settings.spark.is_local and not settings.spark.remote
    return here and not _is_mongo(settings)


def _is_mongo(settings: Settings) -> bool:
    return settings.images.url.startswith("mongodb")


def _store(settings: Settings, client: str, tell: Callable[[str], None] | None) -> ImageStore:
    if not _is_mongo(settings):
        return SqliteImageStore(settings.store_root / client / "images.sqlite", client)
    # pymongo is loaded where it is used.
    from targets.image_store.mongo import MongoImageStore, place_of

    return MongoImageStore(place_of(settings, client), tell)
