"""MongoImageStore: insert-only, in unordered bulks, acknowledged by a majority's journals."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from pymongo import ASCENDING, IndexModel
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure, WTimeoutError

from conf.errors import ConfigError, NotFound, StorageError
from targets.image_store.mongo import clients, large
from targets.image_store.mongo.documents import bulks, check, is_large, to_image, to_mongo
from targets.image_store.mongo.faults import DUPLICATE, Tell, damaged, persist
from targets.image_store.mongo.place import Place
from targets.image_store.protocol import ImageDocument, Inserted

T = TypeVar("T")

IMAGES = "images"
_STAMPS, _STAMP = "landfall", "image store"
_VERSION = 1
_PAGE = 10_000
# Look-ups besides those by id: what a drop brought, and what was made of an original.
_INDEXES = {
    IMAGES: [
        IndexModel([("feed", ASCENDING), ("drop", ASCENDING)], name="feed_drop"),
        IndexModel([("original", ASCENDING)], name="original"),
    ],
    **large.indexes(),
}


class State(NamedTuple):
    """The server's version, and whether the store was prepared."""

    version: str
    prepared: bool


class MongoImageStore:
    """See ImageStore. Belongs to one thread; reaches the server when it is first used.

    A document is an ImageDocument with its id as ``_id``, and ``batch``, the bulk that inserted it. One whose picture
    would pass the limit of a document has the file's id as ``large`` in place of ``image``.

    Args:
        place: the client's database.
        tell: told, as a sentence, of each time that the server is waited for; None: it is not waited for.
    """

    def __init__(self, place: Place, tell: Tell | None = None) -> None:
        self._place = place
        self._tell = tell
        self._open: Database[Any] | None = None
        self._stamped = False

    def prepare(self) -> None:
        """Makes indexes, then the stamp, where they are missing; once, before workers start."""
        if self._is_prepared():
            return
        place = self._place
        stamp = {"_id": _STAMP, "version": _VERSION, "env": place.env, "client": place.client}
        for collection, indexes in _INDEXES.items():
            for index in indexes:
                self._do(lambda database, c=collection, i=index: database[c].create_indexes([i]))  # type: ignore[misc]
        self._do(lambda database: _insert_once(database, stamp))
        self._is_prepared()  # whose stamp it is, if another came first

    def insert(self, documents: Sequence[ImageDocument]) -> Inserted:
        for document in documents:
            if document.client != self._place.client:
                raise StorageError(
                    f"The image store {self._place} is {self._place.client}'s: "
                    f"it takes no picture of {document.client}.",
                    "Nothing was stored.",
                )
        if not self._is_prepared():
            raise StorageError(
                f"The image store {self._place} was never prepared.", "Run the client again: its Store stage makes it."
            )
        first: dict[str, ImageDocument] = {}
        for document in documents:
            first.setdefault(document.id, document)
        rows = [to_mongo(document) for document in first.values()]
        sizes = [check(self._place, row) for row in rows]
        small = (self._without_large(row, size) for row, size in zip(rows, sizes, strict=True))
        new = sum(self._insert_new(IMAGES, bulk) for bulk in bulks(small, self._place.batch_bytes))
        return Inserted(new, len(documents) - new)

    def present(self, ids: Sequence[str]) -> set[str]:  # noqa: ARG002
        return set()  # what a find sees, a failover may take back; an insert waits for the majority

    def get(self, id: str) -> ImageDocument:
        for document in self.get_many([id]):
            return document
        raise NotFound(f"The image store {self._place} has no picture {id}.")

    def get_many(self, ids: Iterable[str]) -> Iterator[ImageDocument]:
        for one in ids:
            found = self._do(lambda database, one=one: database[IMAGES].find_one({"_id": one}))  # type: ignore[misc]
            if found is not None:
                yield to_image(self._place, found, self._image(found))

    def ids(self) -> Iterator[str]:
        # By pages: a cursor dies with its server, and after ten minutes in which nobody asked for more.
        page = self._page("")
        while page:
            yield from page
            page = self._page(page[-1])

    def count(self) -> int:
        # Counts entries of the index on _id; an empty filter would read every document.
        return self._do(lambda database: database[IMAGES].count_documents({"_id": {"$gte": ""}}))

    def examine(self) -> State:
        """What the server is, and whether the store was prepared."""
        # buildInfo asks for no right; reading the stamp asks for the client's.
        version = self._do(lambda database: str(database.client.server_info().get("version")))
        return State(version, self._is_prepared())

    def close(self) -> None:
        if self._open is not None:
            self._open = None
            clients.release(self._place)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _do(self, work: Callable[[Database[Any]], T]) -> T:
        """What is done with the database, again and again while what hinders it may pass."""

        def attempt() -> T:
            if self._open is None:
                self._open = clients.acquire(self._place)[self._place.database]
            return work(self._open)

        return persist(self._place, attempt, self._tell)

    def _is_prepared(self) -> bool:
        """Whether the database has our stamp; ConfigError or StorageError if it has another's."""
        if self._stamped:
            return True
        place = self._place
        stamp = self._do(lambda database: database[_STAMPS].find_one({"_id": _STAMP}))
        if stamp is None:
            return False
        if (stamp.get("env"), stamp.get("client")) != (place.env, place.client):
            raise ConfigError(
                f"The database {place} is that of client {stamp.get('client')} in {stamp.get('env')}, not of "
                f"{place.client} in {place.env}: see to mongo.database and images.url."
            )
        if stamp.get("version") != _VERSION:
            raise StorageError(
                f"The image store {place} was written by a later version of Landfall.",
                "Use that version, or another mongo.database.",
            )
        self._stamped = True
        return True

    def _without_large(self, row: dict[str, Any], size: int) -> dict[str, Any]:
        """The row as it is; or, if it is too large, with its picture put into GridFS before."""
        if not is_large(row, size):
            return row
        name = large.put(self._insert_new, row["image"].encode(), self._place.batch_bytes)
        return {**{key: value for key, value in row.items() if key != "image"}, "large": name}

    def _insert_new(self, collection: str, bulk: list[dict[str, Any]]) -> int:
        """Inserts those whose ``_id`` is not there; returns how many that were, answered for or not."""
        batch = uuid.uuid4().hex
        rows = [{**row, "batch": batch} for row in bulk]
        attempts = 0

        def insert(database: Database[Any]) -> list[str]:
            nonlocal attempts
            attempts += 1
            return [rows[index]["_id"] for index in _insert_unordered(database, collection, rows)]

        present = self._do(insert)
        if attempts > 1 and present:
            # An earlier attempt, of which no answer came, may have inserted some.
            ours = {"_id": {"$in": present}, "batch": batch}
            return len(rows) - len(present) + self._do(lambda database: database[collection].count_documents(ours))
        return len(rows) - len(present)

    def _image(self, found: Mapping[str, Any]) -> object:
        name = found.get("large")
        if name is None:
            return found.get("image")
        assert self._open is not None
        content = large.read(self._place, self._open, str(name), self._tell)
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise damaged(self._place, f"the file {name} of {large.BUCKET} is no text") from None

    def _page(self, after: str) -> list[str]:
        def page(database: Database[Any]) -> list[str]:
            found = database[IMAGES].find({"_id": {"$gt": after}}, {"_id": 1}).sort("_id", ASCENDING).limit(_PAGE)
            with found:
                return [str(one["_id"]) for one in found]

        return self._do(page)


def _insert_unordered(database: Database[Any], collection: str, rows: list[dict[str, Any]]) -> list[int]:
    """Inserts what can be; returns the indexes of those whose ``_id`` is there. Raises what else went wrong."""
    try:
        database[collection].insert_many(rows, ordered=False)
    except BulkWriteError as error:
        details = error.details
    else:
        return []
    errors = details["writeErrors"]
    for one in errors:
        if one["code"] != DUPLICATE:
            raise OperationFailure(str(one["errmsg"])[:300], one["code"])
    for one in details["writeConcernErrors"]:
        # Inserted, and not answered for: done again, it waits for the majority again.
        labels = {"errorLabels": details.get("errorLabels") or []}
        if one.get("errInfo", {}).get("wtimeout"):
            raise WTimeoutError(str(one["errmsg"])[:300], one["code"], labels)
        raise OperationFailure(str(one["errmsg"])[:300], one["code"], labels)
    return [int(one["index"]) for one in errors]


def _insert_once(database: Database[Any], stamp: dict[str, Any]) -> None:
    try:
        database[_STAMPS].insert_one(dict(stamp))
    except DuplicateKeyError:
        return
