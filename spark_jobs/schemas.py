"""The contracts between stages: the columns of every table that one stage writes and another reads.

A line is known by (entry, line): ``entry`` counts the files of a zip from 0 (0 for a plain file), ``line`` is the
1-based number of the physical line on which the record begins.
"""

from __future__ import annotations

import pyarrow as pa

# What Validate of a feed of records keeps besides its tables: what the values of each column are like.
PROFILE = "profile/profile.json"

_LINE = [pa.field("entry", pa.int32(), nullable=False), pa.field("line", pa.int64(), nullable=False)]
_FIELDS = pa.map_(pa.string(), pa.string())

# What Validate makes of a line. ``fields`` are the record's own columns as text in the form in which rejects carry
# them (see spark_jobs.rejects.encode). outcome is null while the line goes on.
PARSED = pa.schema(
    [
        *_LINE,
        pa.field("url", pa.string()),
        pa.field("host", pa.string()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("corrects_drop", pa.string()),
        pa.field("corrects_line", pa.string()),
        pa.field("fields", _FIELDS),
        pa.field("rule", pa.string()),
        pa.field("value", pa.string()),
        pa.field("message", pa.string()),
    ]
)

# Lines that go on to Fetch (Validate's table ``requests``). shard: 0-based unit of work.
REQUESTS = pa.schema([*list(PARSED)[:9], pa.field("shard", pa.int32(), nullable=False)])

# Lines whose outcome a stage has settled (the table ``settled`` of Validate, Fetch and Transform).
# first_entry and first_line say which line a duplicate repeats.
SETTLED = pa.schema(
    [
        *_LINE,
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("value", pa.string()),
        pa.field("message", pa.string(), nullable=False),
        pa.field("first_entry", pa.int32()),
        pa.field("first_line", pa.int64()),
        pa.field("url", pa.string()),
        pa.field("host", pa.string()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("corrects_drop", pa.string()),
        pa.field("corrects_line", pa.string()),
        pa.field("fields", _FIELDS),
    ]
)

# What the web answered to a request (Fetch's table ``originals``): one row a request, ``content`` null when it failed.
# rule: "ok" or a fetch.* code; passing: the failure may pass (a timeout, a 5xx), so the next round asks again.
# original_id: sha-256 of content, 64 hex digits. milliseconds: over all attempts.
ORIGINALS = pa.schema(
    [
        *_LINE,
        pa.field("url", pa.string(), nullable=False),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("value", pa.string()),
        pa.field("message", pa.string(), nullable=False),
        pa.field("passing", pa.bool_(), nullable=False),
        pa.field("round", pa.int32(), nullable=False),
        pa.field("status", pa.int32()),
        pa.field("attempts", pa.int32(), nullable=False),
        pa.field("milliseconds", pa.int64(), nullable=False),
        pa.field("final_url", pa.string()),
        pa.field("content_type", pa.string()),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("original_id", pa.string()),
        pa.field("content", pa.binary()),
    ]
)

# What became of a fetched original (Transform's table ``images``): one row an original, ``content`` null if it failed.
# image_id: sha-256 of (original_id, digest of the transforms); image_digest: sha-256 of content; both 64 hex digits.
# width, height, format, bytes describe the result; the original_* what was fetched.
IMAGES = pa.schema(
    [
        *_LINE,
        pa.field("url", pa.string(), nullable=False),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("value", pa.string()),
        pa.field("message", pa.string(), nullable=False),
        pa.field("original_id", pa.string(), nullable=False),
        pa.field("original_bytes", pa.int64(), nullable=False),
        pa.field("original_width", pa.int32()),
        pa.field("original_height", pa.int32()),
        pa.field("original_format", pa.string()),
        pa.field("image_id", pa.string()),
        pa.field("image_digest", pa.string()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("format", pa.string()),
        pa.field("bytes", pa.int64()),
        pa.field("transforms", pa.string()),
        pa.field("content", pa.binary()),
    ]
)
