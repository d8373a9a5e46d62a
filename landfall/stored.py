"""One picture out of a client's image store."""

from __future__ import annotations

import re
from dataclasses import dataclass

from conf.errors import NotFound
from conf.settings import load_settings
from landfall.query import run
from landfall.star import Star, open_pictures
from targets.image_store import content_of, open_store

_ID = re.compile(r"[0-9a-f]{4,64}")
_SHORT = 16


@dataclass(frozen=True)
class Stored:
    """One picture as the store holds it.

    Attributes:
        id: 64 hex digits.
        content: the file's bytes, whose digest is the one that was stored with them.
        format: such as ``JPEG``.
    """

    id: str
    content: bytes
    width: int
    height: int
    format: str

    @property
    def file_name(self) -> str:
        """What a file of it may be called."""
        return f"{self.id[:_SHORT]}.{self.format.lower().replace('jpeg', 'jpg')}"


def stored(client: str, image: str) -> Stored:
    """A published picture.

    Args:
        image: its id, or how it begins (4 hex digits at least).

    Raises:
        AccessDenied: the caller may not see the client's pictures; nothing of it was read.
        NotFound: no published picture of the feeds that the caller may read has such an id, or several have.
        Damaged: what the store holds is not what was stored.
    """
    with open_pictures(client) as star:
        found = _published(star, image)
    with open_store(load_settings(), client) as store:
        document = store.get(found)
    return Stored(found, content_of(document), document.width, document.height, document.format)


def _published(star: Star, image: str) -> str:
    if not _ID.fullmatch(image.lower()):
        raise NotFound("A picture's id has 64 hex digits; at least the first 4 are needed.", _LIST)
    sql = f"SELECT image_id FROM dim_image WHERE starts_with(image_id, '{image.lower()}') LIMIT 2"  # noqa: S608
    ids = [row[0] for row in run(star, sql).rows]
    if len(ids) != 1:
        which = "No published picture has" if not ids else "Several published pictures have"
        raise NotFound(f"{which} an id that begins with {image.lower()}.", _LIST)
    return str(ids[0])


_LIST = "`landfall images list` shows the ids."
