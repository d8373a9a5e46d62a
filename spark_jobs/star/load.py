"""Load: reads what the stages made of one drop, writes its star."""

from __future__ import annotations

from functools import partial

from spark_jobs import files
from spark_jobs.at_once import do_each
from spark_jobs.progress import Step, silent
from spark_jobs.star.dimensions import dim_date, dim_drop, dim_outcome
from spark_jobs.star.fact import dim_image, dim_source, fact_image_request
from spark_jobs.star.inputs import LoadInputs
from spark_jobs.star.tables import LOADED
from spark_jobs.workers import Workers


def load(workers: Workers, inputs: LoadInputs, goal: str, step: Step = silent) -> dict[str, int]:
    """Writes the star of one drop, one sub-directory of ``goal`` a table.

    Args:
        goal: path of a directory.
        step: told how far it is.

    Returns:
        What came of it, counted from the files written: lines, ok, quarantined, duplicate, bytes_in, bytes_out (bytes)
        and images (results; equal pictures once).
    """
    fs, drop = inputs.fs, inputs.drop
    lines = sum(files.count_rows(fs, table) for table in (inputs.requests, *inputs.settled))
    tables = {"fact_image_request": fact_image_request, "dim_image": dim_image, "dim_source": dim_source}
    large = {name: table(inputs, f"{goal}/{name}") for name, table in tables.items()}
    do_each({f"writes {name}": partial(one.write, workers, lines) for name, one in large.items()}, step, 0, len(LOADED))
    met = files.count_values(fs, f"{goal}/fact_image_request", "rule")
    small = {"dim_outcome": dim_outcome(met.keys()), "dim_date": dim_date(drop.receipt), "dim_drop": dim_drop(drop)}
    for name, rows in small.items():
        files.write_table(fs, f"{goal}/{name}", rows)
    return _counts(inputs, goal)


def _counts(inputs: LoadInputs, goal: str) -> dict[str, int]:
    fs, fact = inputs.fs, f"{goal}/fact_image_request"
    outcomes = files.count_values(fs, fact, "outcome")
    of_each = {outcome: outcomes[outcome] for outcome in ("ok", "quarantined", "duplicate")}
    sums = files.sum_columns(fs, fact, ["bytes_in", "bytes_out"])
    return {"lines": outcomes.total(), **of_each, **sums, "images": files.count_rows(fs, f"{goal}/dim_image")}
