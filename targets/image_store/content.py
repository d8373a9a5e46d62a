"""The bytes of a stored picture, proved."""

from __future__ import annotations

import hashlib

import pybase64

from conf.errors import Damaged
from targets.image_store.protocol import ImageDocument

_FIX = "`landfall images verify` names all that are damaged; the lake still holds them."


def content_of(document: ImageDocument) -> bytes:
    """The bytes of a stored picture; Damaged if their digest is not the one that was stored with them."""
    try:
        content = pybase64.b64decode(document.image, validate=True)
    except ValueError as error:
        raise Damaged(f"The stored picture {document.id} is not base64.", _FIX) from error
    if hashlib.sha256(content).hexdigest() != document.digest:
        raise Damaged(f"The stored picture {document.id} is not what was stored: its digest differs.", _FIX)
    return content
