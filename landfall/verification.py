"""Whether the image store holds every published picture as it was stored."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple, Self

from conf.errors import Damaged, NotFound
from conf.settings import load_settings
from landfall.query import run
from landfall.star import open_pictures
from spark_jobs.images.decode import decode
from spark_jobs.images.fault import ImageFault
from targets.image_store import ImageStore, content_of, open_store

_PICTURES = "SELECT image_id, image_digest, width, height, format FROM dim_image ORDER BY image_id"


class _Published(NamedTuple):
    """What the star says of a picture: sizes in pixels."""

    id: str
    digest: str
    width: int
    height: int
    format: str


class Verification:
    """Hashes and decodes every published picture that the caller may see; iterate over it once, within its context.

    Yields (id, problem), the problem empty if there is none. AccessDenied, NotFound: as ``open_star``.

    Attributes:
        total: how many pictures there are.
    """

    def __init__(self, client: str) -> None:
        self._star = open_pictures(client)
        self._store = open_store(load_settings(), client)
        ((self.total,),) = run(self._star, "SELECT count(*) FROM dim_image").rows

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for row in run(self._star, _PICTURES).rows:
            picture = _Published(*row)
            yield picture.id, _problem(self._store, picture)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store.close()
        self._star.close()


def _problem(store: ImageStore, picture: _Published) -> str:
    """What is wrong with a picture in the store, as a sentence; empty if nothing is."""
    try:
        document = store.get(picture.id)
        content = content_of(document)
    except NotFound:
        return "It is missing from the store."
    except Damaged as error:
        return error.what
    if document.digest != picture.digest:
        return "It is another picture than the one that was published."
    try:
        # It may have been stored under other limits: its own size is what it may have.
        decoded = decode(content, max_pixels=picture.width * picture.height)
    except ImageFault as fault:
        return f"It does not decode: {fault.message}"
    found, wanted = (decoded.width, decoded.height, decoded.format), (picture.width, picture.height, picture.format)
    return "" if found == wanted else f"It is {_says(*found)}, and was published as {_says(*wanted)}."


def _says(width: int, height: int, form: str) -> str:
    return f"a {form} of {width}x{height}"
