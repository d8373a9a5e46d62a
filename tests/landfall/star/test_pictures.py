"""The listing of the published pictures."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conf.errors import AccessDenied
from landfall.pictures import listing
from targets.published import Published
from tests.drop_tables import drop
from tests.landfall.star.conftest import fact, publish_star, star_of


def test_a_picture_is_listed_once_with_one_of_its_lines(published: Published) -> None:
    of = drop(feed="scans")
    publish_star(of, star_of(of, [fact(of, 2, url="https://picsum.photos/seed/a/40/30"), fact(of, 8)]))
    result = listing("demo")
    rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
    assert len(rows) == 4
    assert [row["image_id"] for row in rows] == sorted(row["image_id"] for row in rows)
    [shared] = [row for row in rows if row["lines"] == 2]
    assert (shared["feed"], shared["line"], shared["url"]) == ("photos", 2, "https://picsum.photos/id/2/40/30")
    assert (shared["width"], shared["height"], shared["format"], shared["bytes"]) == (40, 30, "JPEG", 800)


def test_a_listing_has_an_end(published: Published) -> None:
    assert len(list(listing("demo", limit=2).rows)) == 2


def test_only_permitted_feeds_are_listed(published: Published, as_user: Callable[[str], None]) -> None:
    of = drop(feed="scans")
    publish_star(of, star_of(of, [fact(of, 8)]))
    assert len(list(listing("demo", feed="scans").rows)) == 1
    as_user("sam")
    assert len(list(listing("demo").rows)) == 1
    with pytest.raises(AccessDenied):
        listing("demo", feed="photos")
