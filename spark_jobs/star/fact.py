"""The large tables of a catalogue's drop, as DuckDB makes them of what the stages left."""

from __future__ import annotations

import pyarrow as pa

from spark_jobs import schemas
from spark_jobs.made import Input, Made
from spark_jobs.star import keys
from spark_jobs.star.inputs import LoadInputs
from spark_jobs.star.tables import SCHEMA_VERSION, TABLES

_LINE = ("entry", "line")
_ASKED = (*_LINE, "host", "width", "height", "corrects_drop", "corrects_line")
_ANSWERED = ("round", "status", "attempts", "milliseconds", "bytes", "original_id")
_MADE = ("url", "rule", "value", "message", "image_id", "bytes", "original_width", "original_height")
_IMAGE = (
    "image_digest",
    "original_id",
    "width",
    "height",
    "format",
    "bytes",
    "original_width",
    "original_height",
    "original_format",
    "original_bytes",
    "transforms",
)
# The highest round of a line is its answer. Of rows that are otherwise alike the greatest counts, in whatever order
# they come. A picture that nobody asked for keeps its row: the proof finds it.
_FACT = """
    WITH lines AS (
        SELECT entry, line, url, host, outcome, rule, value, message, width AS asked_width, height AS asked_height,
            first_entry, first_line, corrects_drop, corrects_line, NULL AS image_id, NULL AS bytes_out
        FROM settled
        UNION ALL
        SELECT entry, line, url, host, 'ok', rule, value, message, r.width, r.height,
            NULL, NULL, corrects_drop, corrects_line, image_id, bytes
        FROM images LEFT JOIN requests r USING (entry, line) WHERE rule = 'ok'
    ), answers AS (
        SELECT DISTINCT ON (entry, line) entry, line, status AS http_status, attempts, milliseconds, bytes AS bytes_in,
            original_id
        FROM originals ORDER BY entry, line, {answered}
    ), sizes AS (
        SELECT DISTINCT ON (entry, line) entry, line, original_width AS width, original_height AS height
        FROM images ORDER BY entry, line, original_width DESC NULLS LAST, original_height DESC NULLS LAST
    )
    SELECT *, '{date_key}' AS date_key, '{drop_key}' AS drop_key, {source_key} AS source_key,
        {outcome_key} AS outcome_key, {image_key} AS image_key, {version} AS schema_version
    FROM lines LEFT JOIN answers USING (entry, line) LEFT JOIN sizes USING (entry, line) ORDER BY entry, line"""
# An id is the digest of what went in, so its rows say the same; max makes that so whatever happens.
_DIM_IMAGE = """
    SELECT image_id, {facts}, {image_key} AS image_key, {version} AS schema_version
    FROM images WHERE rule = 'ok' GROUP BY image_id ORDER BY image_id"""
_DIM_SOURCE = """
    SELECT host, {source_key} AS source_key, {version} AS schema_version
    FROM (SELECT DISTINCT coalesce(host, '{none}') AS host FROM hosts) ORDER BY host"""


def fact_image_request(inputs: LoadInputs, goal: str) -> Made:
    """One row a line of one catalogue, whatever became of it.

    A line that two stages settled, or that two images answer, has two rows here: nothing hides it from the proof.
    """
    settled = [name for name in schemas.SETTLED.names if name != "fields"]
    sql = _FACT.format(
        answered=", ".join(f"{name} DESC NULLS LAST" for name in _ANSWERED),
        date_key=keys.date_key(inputs.drop.receipt),
        drop_key=keys.drop_key(inputs.drop.id),
        source_key=keys.sql(f"coalesce(host, '{keys.NO_HOST}')"),
        outcome_key=keys.sql("rule"),
        image_key=keys.sql("image_id"),
        version=SCHEMA_VERSION,
    )
    tables = {
        "requests": Input([inputs.requests], _some(schemas.REQUESTS, _ASKED)),
        "settled": Input(inputs.settled, _some(schemas.SETTLED, settled)),
        "originals": Input([inputs.originals], _some(schemas.ORIGINALS, (*_LINE, *_ANSWERED))),
        "images": Input([inputs.images], _some(schemas.IMAGES, (*_LINE, *_MADE))),
    }
    return Made(inputs.fs, tables, "entry, line", sql, TABLES["fact_image_request"], goal)


def dim_image(inputs: LoadInputs, goal: str) -> Made:
    """The results, one row each however many lines lead to it."""
    facts = ", ".join(f"max({name}) AS {name}" for name in _IMAGE)
    sql = _DIM_IMAGE.format(facts=facts, image_key=keys.sql("image_id"), version=SCHEMA_VERSION)
    images = {"images": Input([inputs.images], _some(schemas.IMAGES, ("rule", "image_id", *_IMAGE)))}
    return Made(inputs.fs, images, "image_id", sql, TABLES["dim_image"], goal)


def dim_source(inputs: LoadInputs, goal: str) -> Made:
    """The hosts that the lines name."""
    sql = _DIM_SOURCE.format(source_key=keys.sql("host"), version=SCHEMA_VERSION, none=keys.NO_HOST)
    hosts = {"hosts": Input([inputs.requests, *inputs.settled], _some(schemas.REQUESTS, ("host",)))}
    return Made(inputs.fs, hosts, "host", sql, TABLES["dim_source"], goal)


def _some(schema: pa.Schema, names: tuple[str, ...] | list[str]) -> pa.Schema:
    return pa.schema([schema.field(name).with_nullable(True) for name in names])
