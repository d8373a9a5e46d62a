"""Pictures that pass MongoDB's limit of a document, in GridFS (the collections ``large.files``, ``large.chunks``).

What a file is called is the sha-256 of what it holds, and so are its chunks, with their number: a killed upload leaves
chunks that nobody sees and that the next one finds in place, and two uploads at once write the same. The picture's own
document, which names the file, is inserted when the file is whole; so is the file's, after its chunks. The layout is
that of the GridFS specification (github.com/mongodb/specifications, gridfs), so that any of its tools reads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from gridfs import GridFSBucket
from gridfs.errors import GridFSError
from pymongo import ASCENDING, IndexModel
from pymongo.database import Database

from targets.clock import now
from targets.image_store.mongo.documents import bulks
from targets.image_store.mongo.faults import Tell, damaged, persist
from targets.image_store.mongo.place import Place

BUCKET = "large"
_CHUNK_BYTES = 255 * 1024

InsertNew = Callable[[str, list[dict[str, Any]]], int]
"""Inserts documents into a collection, of which some may be there; see MongoImageStore."""


def indexes() -> dict[str, list[IndexModel]]:
    """The specification's indexes, by collection."""
    return {
        f"{BUCKET}.files": [IndexModel([("filename", ASCENDING), ("uploadDate", ASCENDING)])],
        f"{BUCKET}.chunks": [IndexModel([("files_id", ASCENDING), ("n", ASCENDING)], unique=True)],
    }


def put(insert_new: InsertNew, content: bytes, batch_bytes: int) -> str:
    """Stores the content, if it is not there yet; returns its file's id."""
    name = hashlib.sha256(content).hexdigest()

    def chunks() -> Iterator[dict[str, Any]]:
        for number, start in enumerate(range(0, len(content), _CHUNK_BYTES)):
            data = content[start : start + _CHUNK_BYTES]
            yield {"_id": f"{name}:{number}", "files_id": name, "n": number, "data": data}

    for bulk in bulks(chunks(), batch_bytes):
        insert_new(f"{BUCKET}.chunks", bulk)
    file = {"_id": name, "filename": name, "length": len(content), "chunkSize": _CHUNK_BYTES, "uploadDate": now()}
    insert_new(f"{BUCKET}.files", [file])
    return name


def read(place: Place, database: Database[Any], name: str, tell: Tell | None) -> bytes:
    """The content of a file; Damaged if it is not whole."""
    bucket = GridFSBucket(database, BUCKET)

    def content() -> bytes | None:
        try:
            with bucket.open_download_stream(name) as stream:
                return bytes(stream.read())
        except GridFSError:
            return None

    found = persist(place, content, tell)
    if found is None or hashlib.sha256(found).hexdigest() != name:
        raise damaged(place, f"the file {name} of {BUCKET} is not whole")
    return found
