"""The image store of a machine without servers: one SQLite database a client."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from conf.errors import NotFound, StorageError
from targets.image_store import connections
from targets.image_store.protocol import ImageDocument, Inserted

_NAMES = tuple(field.name for field in fields(ImageDocument))
_COLUMNS = ", ".join(f'"{name}"' for name in _NAMES)
# Not INSERT OR IGNORE, which would pass over a missing value too.
_INSERT = f"INSERT INTO images ({_COLUMNS}) VALUES ({', '.join('?' * len(_NAMES))}) ON CONFLICT (id) DO NOTHING"  # noqa: S608
_GET = f"SELECT {_COLUMNS} FROM images WHERE id = ?"  # noqa: S608
_HAS = "SELECT id FROM images WHERE id IN ({})"
# Each statement takes the lock and gives it back. SQLite takes a hundred times as many values.
_ASKED_AT_ONCE = 300
_IDS = "SELECT id FROM images WHERE id > ? ORDER BY id LIMIT 1000"


class SqliteImageStore:
    """See ImageStore. Belongs to one thread; opens the database when it is first used.

    Args:
        path: of the database.
        client: whose pictures it takes.
    """

    def __init__(self, path: Path, client: str) -> None:
        self._path = path.absolute()
        self._client = client
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None

    def prepare(self) -> None:
        """Makes the database where it is missing; once, before workers start."""
        connections.prepare(self._path)

    def insert(self, documents: Sequence[ImageDocument]) -> Inserted:
        for document in documents:
            if document.client != self._client:
                raise StorageError(
                    f"The image store {self._path} is {self._client}'s: it takes no picture of {document.client}.",
                    "Nothing was stored.",
                )
        if self._writer is None:
            self._writer = connections.for_writing(self._path)
        rows = [_row(document) for document in documents]
        with connections.faults(self._path), _transaction(self._writer):
            new = self._writer.executemany(_INSERT, rows).rowcount if rows else 0
        return Inserted(new, len(rows) - new)

    def present(self, ids: Sequence[str]) -> set[str]:
        # Of the index alone, and not from where the pictures lie.
        found = set[str]()
        for start in range(0, len(ids), _ASKED_AT_ONCE):
            asked = ids[start : start + _ASKED_AT_ONCE]
            found.update(str(id_) for (id_,) in self._select(_HAS.format(", ".join("?" * len(asked))), *asked))
        return found

    def get(self, id: str) -> ImageDocument:
        for document in self.get_many([id]):
            return document
        raise NotFound(f"The image store {self._path} has no picture {id}.")

    def get_many(self, ids: Iterable[str]) -> Iterator[ImageDocument]:
        for one in ids:
            for row in self._select(_GET, one):
                yield self._document(row)

    def ids(self) -> Iterator[str]:
        # By pages: a statement left open would keep writers waiting.
        page = self._select(_IDS, "")
        while page:
            yield from (str(id_) for (id_,) in page)
            page = self._select(_IDS, page[-1][0])

    def count(self) -> int:
        return sum(int(count) for (count,) in self._select("SELECT count(*) FROM images"))

    def close(self) -> None:
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()
        self._reader = self._writer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _select(self, sql: str, *values: str) -> list[Any]:
        if self._reader is None:
            self._reader = connections.for_reading(self._path)
        if self._reader is None:
            return []
        with connections.faults(self._path):
            return self._reader.execute(sql, values).fetchall()

    def _document(self, row: Sequence[Any]) -> ImageDocument:
        values = dict(zip(_NAMES, row, strict=True))
        try:
            values["inserted"] = datetime.fromisoformat(values["inserted"]).astimezone(UTC)
            values["transforms"] = tuple(map(str, json.loads(values["transforms"])))
        except (TypeError, ValueError) as error:
            raise connections.damaged(self._path, f"the picture {values['id']} has no readable metadata") from error
        return ImageDocument(**values)


def _row(document: ImageDocument) -> tuple[Any, ...]:
    values = {name: getattr(document, name) for name in _NAMES}
    values["inserted"] = document.inserted.astimezone(UTC).isoformat()
    values["transforms"] = json.dumps(document.transforms)
    return tuple(values.values())


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. The lock is waited for before the first row, not in the midst of them."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself after some faults, such as a full disk.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
