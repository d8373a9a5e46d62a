"""What an image store is: gray pictures by id, with what is known of them. Nothing in it is ever changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import NamedTuple, Protocol, Self


@dataclass(frozen=True)
class ImageDocument:
    """One stored picture.

    Attributes:
        id: sha-256 of (original's digest, transforms' digest), 64 hex digits: what the picture is, never when it came
            or from where.
        image: the picture's file in base64 (RFC 4648, section 4).
        digest: sha-256 of the file, 64 hex digits.
        original: sha-256 of what was fetched, 64 hex digits.
        width: pixels.
        height: pixels.
        format: such as ``JPEG``.
        bytes: length of the file.
        source: URL that it was fetched from first.
        inserted: when (UTC, to the millisecond at least).
        client: whose it is.
        feed: of the drop.
        drop: that brought it first, 64 hex digits.
        transforms: names of what was done to it, in order.
    """

    id: str
    image: str = field(repr=False)
    digest: str
    original: str
    width: int
    height: int
    format: str
    bytes: int
    source: str
    inserted: datetime
    client: str
    feed: str
    drop: str
    transforms: tuple[str, ...]


class Inserted(NamedTuple):
    """What became of documents: ``new`` ones are stored now, the others' ids were ``present``."""

    new: int
    present: int


class ImageStore(Protocol):
    """The pictures of one client.

    Every method raises StorageError where the place does not do what it must, and Damaged where it does not hold what
    was written; both say what to do. A store that was never prepared reads as empty.
    """

    def prepare(self) -> None:
        """Makes what is missing for writing; once, before workers start. What is there stays as it is."""
        ...

    def insert(self, documents: Sequence[ImageDocument]) -> Inserted:
        """Stores each document whole or not at all; when it returns all of them survive a loss of power.

        A call that failed, or whose process was killed, is made good by repeating it.

        An id that is there already, or earlier among these documents, is success and changes nothing. Any number of
        processes may insert at the same time.

        Raises:
            StorageError: also if a document is another client's, or the store was never prepared.
        """
        ...

    def present(self, ids: Sequence[str]) -> set[str]:
        """Those of some hundred ids that are there and survive a loss of power. A store that cannot tell leaves them
        out: ``insert`` finds out.
        """
        ...

    def get(self, id: str) -> ImageDocument:
        """The document; NotFound where there is none."""
        ...

    def get_many(self, ids: Iterable[str]) -> Iterator[ImageDocument]:
        """The documents in the order of their ids as given, those left out that are not there; in the memory of one."""
        ...

    def ids(self) -> Iterator[str]:
        """All ids, sorted, in bounded memory. What is inserted meanwhile may be among them."""
        ...

    def count(self) -> int: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
