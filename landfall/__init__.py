"""Landfall's face: the command ``landfall``, and ``landfall.open`` for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from landfall.star import Star

__all__ = ["open"]


def open(client: str, month_of: date | None = None) -> Star:
    """The client's published tables, for whoever ``LANDFALL_USER`` proves to be.

    ``open("demo").sql("SELECT …")`` is a DuckDB relation, ``.arrow(table)`` an Arrow table, ``.spark(table)`` a Spark
    DataFrame. ``month_of`` is a day: only what was received in its month is there then, and older drops cost no time.
    AccessDenied without a grant, NotFound where there is no such client.
    """
    from landfall.star import open_star

    return open_star(client, month_of=month_of)
