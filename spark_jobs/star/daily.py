"""agg_images_daily: additive partials, drop by drop, made by a workflow that every client with catalogues has."""

from __future__ import annotations

from collections.abc import Mapping

from conf.actions import Aggregate
from conf.feeds import ImagesFeed, RecordsFeed
from conf.workflows import BUILT_IN, After, Stage, Workflow
from spark_jobs.star.tables import MILLISECONDS, SCHEMA_VERSION, TABLES, bucket_names

NAME = "agg_images_daily"
_GRAIN = ("date_key", "drop_key", "source_key", "outcome_key", "outcome", "rule")
_WORDS = {"string": "string", "int32": "int", "int64": "long"}


def built_in(feeds: Mapping[str, ImagesFeed | RecordsFeed]) -> tuple[Workflow, ...]:
    """The workflow of a client's feeds of catalogues; none where there are none."""
    catalogues = tuple(feed for feed, config in feeds.items() if isinstance(config, ImagesFeed))
    if not catalogues:
        return ()
    # A client's own file may not write a table of the star: what is built in passes by that check.
    action = Aggregate.model_construct(
        kind="aggregate",
        name=NAME,
        into=NAME,
        mode="append",
        partition_by=None,
        incremental="drop",
        columns={field.name: _WORDS[str(field.type)] for field in TABLES[NAME]},
        sql=sql(),
        sql_file=None,
    )
    stages = (Stage.model_construct(actions=(action,)),)
    return (Workflow.model_construct(name=BUILT_IN, after=After(any=catalogues), workers=1, stages=stages),)


def sql() -> str:
    """fact_image_request -> one row a day, drop, source and outcome."""
    grain = ", ".join(_GRAIN)
    outcomes = [f"count_if(outcome = '{name}') AS {name}" for name in ("ok", "quarantined", "duplicate")]
    sums = [f"coalesce(sum({name}), 0L) AS {name}" for name in ("bytes_in", "bytes_out", "milliseconds")]
    measures = ", ".join(["count(*) AS requests", *outcomes, *sums, *_histogram()])
    return (
        f"SELECT {grain}, {measures}, CAST({SCHEMA_VERSION} AS INT) AS schema_version "  # noqa: S608  # all ours
        f"FROM fact_image_request GROUP BY {grain}"
    )


def _histogram() -> list[str]:
    bounds = zip(bucket_names(), (0, *MILLISECONDS), (*MILLISECONDS, None), strict=True)
    return [
        f"count_if(milliseconds >= {low}{'' if high is None else f' AND milliseconds < {high}'}) AS {name}"
        for name, low, high in bounds
    ]
