"""fact_image_request: one row a line of one catalogue, whatever became of it."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from spark_jobs.star import keys
from spark_jobs.star.shape import shape
from targets.register import Drop

_LINE = ["entry", "line"]


def fact_image_request(
    requests: DataFrame, settled: DataFrame, originals: DataFrame, images: DataFrame, drop: Drop
) -> DataFrame:
    """Every line's row.

    A line that two stages settled, or that two images answer, has two rows here: nothing hides it from the proof.

    Args:
        requests: Validate's REQUESTS.
        settled: SETTLED of all stages.
        originals: Fetch's ORIGINALS; the highest round of a line is its answer.
        images: Transform's IMAGES.
        drop: whose lines these are.
    """
    lines = settled_lines(settled).unionByName(ok_lines(requests, images), allowMissingColumns=True)
    rows = lines.join(answers(originals), _LINE, how="left").join(sizes(images), _LINE, how="left")
    return shape(
        rows.withColumns(
            {
                "date_key": keys.date_key(F.lit(drop.receipt)),
                "drop_key": keys.drop_key(F.lit(drop.id)),
                "source_key": keys.source_key(F.col("host")),
                "outcome_key": keys.outcome_key(F.col("rule")),
                "image_key": keys.image_key(F.col("image_id")),
            }
        ),
        "fact_image_request",
    )


def settled_lines(settled: DataFrame) -> DataFrame:
    """SETTLED -> the lines that are quarantined or duplicates."""
    return settled.select(*_of_every_line(), "outcome", "first_entry", "first_line")


def ok_lines(requests: DataFrame, images: DataFrame) -> DataFrame:
    """REQUESTS and IMAGES -> the lines whose picture is there."""
    asked = requests.select(*_LINE, "host", "width", "height", "corrects_drop", "corrects_line")
    pictures = images.where(F.col("rule") == "ok").select(
        *_LINE, "url", "rule", "value", "message", "image_id", F.col("bytes").alias("bytes_out")
    )
    # A picture that nobody asked for keeps its row: the proof finds it.
    lines = pictures.join(asked, _LINE, how="left")
    return lines.select(*_of_every_line(), F.lit("ok").alias("outcome"), "image_id", "bytes_out")


def answers(originals: DataFrame) -> DataFrame:
    """ORIGINALS -> what the web answered last to each request."""
    measures = ["round", "status", "attempts", "milliseconds", "bytes", "original_id"]
    # The greatest struct is that of the highest round, and the same one in whatever order the rows come.
    last = originals.groupBy(*_LINE).agg(F.max(F.struct(*measures)).alias("last"))
    return last.select(
        *_LINE,
        F.col("last.status").alias("http_status"),
        "last.attempts",
        "last.milliseconds",
        F.col("last.bytes").alias("bytes_in"),
        "last.original_id",
    )


def sizes(images: DataFrame) -> DataFrame:
    """IMAGES -> the real size of each picture that could be read, whether or not it was taken."""
    real = images.groupBy(*_LINE).agg(F.max(F.struct("original_width", "original_height")).alias("real"))
    return real.select(
        *_LINE, F.col("real.original_width").alias("width"), F.col("real.original_height").alias("height")
    )


def _of_every_line() -> list[Column]:
    names = [*_LINE, "url", "host", "rule", "value", "message", "corrects_drop", "corrects_line"]
    asked = [F.col("width").alias("asked_width"), F.col("height").alias("asked_height")]
    return [*(F.col(name) for name in names), *asked]
