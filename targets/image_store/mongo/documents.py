"""Pictures as MongoDB's documents, and how large those are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import bson

from conf.errors import StorageError
from targets.image_store.mongo.faults import damaged
from targets.image_store.mongo.place import Place
from targets.image_store.protocol import ImageDocument

# mongodb.com/docs/manual/reference/limits: 16 MiB a document.
MOST_BYTES = 16 << 20
# What a document has besides its fields: the names and ids that are added on the way.
_MARGIN = 1024
_KINDS: dict[str, type] = {
    "image": str,
    "digest": str,
    "original": str,
    "width": int,
    "height": int,
    "format": str,
    "bytes": int,
    "source": str,
    "inserted": datetime,
    "client": str,
    "feed": str,
    "drop": str,
    "transforms": list,
}


def to_mongo(document: ImageDocument) -> dict[str, Any]:
    """The picture as a document: its fields, with the id as ``_id``."""
    values = {field.name: getattr(document, field.name) for field in fields(document) if field.name != "id"}
    values["inserted"] = document.inserted.astimezone(UTC)
    values["transforms"] = list(document.transforms)
    return {"_id": document.id, **values}


def check(place: Place, document: Mapping[str, Any]) -> int:
    """Bytes of the document without its picture; StorageError if a value is not what it must be."""
    rest = {name: value for name, value in document.items() if name != "image"}
    for name, kind in _KINDS.items():
        if not isinstance(document[name], kind):
            what = f"The picture {document['_id']} cannot be stored in {place}: its {name} is {document[name]!r}."
            raise StorageError(what, "Nothing was stored.")
    try:
        size = len(bson.encode(rest))
    except (bson.errors.BSONError, OverflowError, UnicodeError) as error:
        what = f"The picture {document['_id']} cannot be stored in {place}: {error}."
        raise StorageError(what, "Nothing was stored.") from None
    if size + _MARGIN > MOST_BYTES:
        what = f"The picture {document['_id']} cannot be stored in {place}: its metadata have {size:,} bytes."
        raise StorageError(what, "Nothing was stored.")
    return size


def is_large(document: Mapping[str, Any], rest: int) -> bool:
    """Whether the picture, with the rest of the document (bytes), passes the limit."""
    return rest + len(document["image"].encode()) + _MARGIN > MOST_BYTES


def to_image(place: Place, document: Mapping[str, Any], image: object) -> ImageDocument:
    """The picture in a document; Damaged if the document is none of ours.

    Args:
        image: the picture, which a large one does not hold itself.
    """
    values: dict[str, Any] = {"image": image, **{name: document.get(name) for name in _KINDS if name != "image"}}
    id_ = document.get("_id")
    for name, kind in _KINDS.items():
        if not isinstance(values[name], kind):
            raise damaged(place, f"the picture {id_} has no readable {name}")
    if not all(isinstance(name, str) for name in values["transforms"]):
        raise damaged(place, f"the picture {id_} has no readable transforms")
    values["transforms"] = tuple(values["transforms"])
    values["inserted"] = values["inserted"].replace(tzinfo=UTC)
    return ImageDocument(id=str(id_), **values)


def bulks(documents: Iterable[dict[str, Any]], most_bytes: int) -> Iterator[list[dict[str, Any]]]:
    """The documents in bulks whose pictures have at most so many bytes, or one picture."""
    bulk: list[dict[str, Any]] = []
    size = 0
    for document in documents:
        length = len(document.get("image") or document.get("data") or "")
        if bulk and size + length > most_bytes:
            yield bulk
            bulk, size = [], 0
        bulk.append(document)
        size += length
    if bulk:
        yield bulk
