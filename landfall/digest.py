"""One canonical digest of a client's star and image store: equal content, equal digest.

The order of rows, files, drops and runs says nothing, nor does where data lies. Left out is what differs between two
runs of the same work: times and dates, builds, uploads, attempts and milliseconds, messages (which tell attempts), and
the first source of a stored picture.
"""

from __future__ import annotations

import binascii
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pybase64

from conf.errors import Damaged
from conf.settings import load_settings
from landfall.query import run
from landfall.star import Star, open_star
from spark_jobs.star.tables import TABLES, bucket_names
from targets.image_store import ImageDocument, open_store

_LEFT_OUT = {
    "fact_image_request": {"attempts", "milliseconds", "message"},
    "dim_date": set(TABLES["dim_date"].names),
    "dim_drop": {"received", "name"},
    "agg_images_daily": {"milliseconds", *bucket_names()},
}
_LEFT_OUT_OF_ALL = {"date_key", "received", "schema_version"}

_STORE = "image_store"


@dataclass(frozen=True)
class Digest:
    """Digests of one client's content (sha-256, 64 hex digits).

    Attributes:
        whole: of all parts.
        parts: of each table and of ``image_store``.
    """

    whole: str
    parts: Mapping[str, str]

    def __str__(self) -> str:
        return self.whole


def digest(client: str) -> Digest:
    """The digest of what the caller may read of the client.

    A caller who may read all feeds gets the whole store's; one who may read some gets that of the pictures which those
    feeds' published drops name.

    Raises:
        AccessDenied: the caller has no grant for it; nothing of the client's was read.
        NotFound: there is no such client.
        Damaged: a stored picture cannot be read.
    """
    with open_star(client, "digest") as star:
        parts = {table: _of(_table_rows(star, table)) for table in star.tables() if _columns(star, table)}
        if "dim_image" in star.tables():
            parts[_STORE] = _of(_store_rows(star))
    return Digest(hashlib.sha256(_canonical(sorted(parts.items()))).hexdigest(), parts)


def _columns(star: Star, table: str) -> list[str]:
    """The columns that count."""
    return sorted(set(star.columns(table).names) - _LEFT_OUT.get(table, set()) - _LEFT_OUT_OF_ALL)


def _table_rows(star: Star, table: str) -> Iterator[Any]:
    names = ", ".join(f'"{name}"' for name in _columns(star, table))
    return run(star, f'SELECT {names} FROM "{table}"').rows  # noqa: S608  # columns and table are ours


def _store_rows(star: Star) -> Iterator[Any]:
    with open_store(load_settings(), star.client) as store:
        published = (image for (image,) in run(star, "SELECT image_id FROM dim_image").rows)
        yield from map(_picture, store.get_many(store.ids() if star.feeds is None else published))


def _picture(document: ImageDocument) -> list[Any]:
    try:
        content = hashlib.sha256(pybase64.b64decode(document.image, validate=True)).hexdigest()
    except binascii.Error as error:
        raise Damaged(
            f"The stored picture {document.id} is not in base64.", "`landfall images verify` names every damaged one."
        ) from error
    fixed = [document.id, document.digest, document.original, document.width, document.height]
    return [*fixed, document.format, document.bytes, list(document.transforms), content]


def _of(rows: Iterable[Any]) -> str:
    """The digest of rows in any order, in the memory of one row.

    The rows' 2,048-bit hashes are added up, so a row that is there twice counts twice (Bellare and Micciancio, "A new
    paradigm for collision-free hashing", AdHash; a sum of 256 bits would be too short for it).
    """
    total = count = 0
    for row in rows:
        total += int.from_bytes(hashlib.shake_256(_canonical(row)).digest(256), "big")
        count += 1
    return hashlib.sha256(_canonical([count, f"{total % (1 << 2048):x}"])).hexdigest()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), default=_said).encode()


def _said(value: Any) -> str:
    """What JSON has no word for (a time, a decimal, bytes) as one text of its own kind."""
    return f"{type(value).__name__}:{value.hex() if isinstance(value, bytes) else value}"
