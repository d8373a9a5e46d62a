"""Names of columns in the table, made of those in the client's file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from conf.feeds.columns import RESERVED

_MOST = 63


def column_names(attributes: Iterable[str]) -> dict[str, str]:
    """A name for each attribute: ``Order ID`` is ``order_id``; each once, and none that the lake uses itself."""
    names: dict[str, str] = {}
    for attribute in attributes:
        name = base = _name(attribute)
        number = 2
        while name in names.values():
            name = f"{base[: _MOST - 4]}_{number}"
            number += 1
        names[attribute] = name
    return names


def _name(attribute: str) -> str:
    plain = unicodedata.normalize("NFKD", attribute).encode("ascii", "ignore").decode()
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain)
    name = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    if not name or not name[0].isalpha():
        name = f"column_{name}".rstrip("_")
    if name in RESERVED or name.endswith("_key"):
        name = f"{name[: _MOST - 6]}_value"
    return name[:_MOST].rstrip("_")
