"""The pictures of the published drops."""

from __future__ import annotations

from landfall.query import Result, run
from landfall.star import open_pictures

_LISTING = """
SELECT image_id, width, height, format, bytes, transforms, lines, one.feed, one.drop, one.line, one.url
FROM (
    SELECT i.image_id, i.width, i.height, i.format, i.bytes, i.transforms, count(*) AS lines,
           min({feed: d.feed, drop: d.drop, entry: f.entry, line: f.line, url: f.url}) AS one
    FROM fact_image_request f JOIN dim_image i USING (image_key) JOIN dim_drop d USING (drop_key)
    GROUP BY ALL
)
ORDER BY image_id
"""


def listing(client: str, feed: str | None = None, limit: int | None = None) -> Result:
    """The pictures that published lines led to, by id.

    Columns: image_id, width, height (pixels), format, bytes, transforms; lines: how many lines led to it; feed, drop,
    line and url of one of them, always the same.

    Args:
        feed: of this feed only; None: of every feed that the caller may read.
        limit: how many at most; None: all.

    Raises:
        AccessDenied: the caller may not see the client's pictures; nothing of it was read.
        NotFound: there is no such client, or it has no such feed.
    """
    return run(open_pictures(client, "images", feed), _LISTING + (f"LIMIT {limit:d}" if limit is not None else ""))
