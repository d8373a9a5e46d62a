"""Load: the star of one drop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.fetch import Fetch
from pipelines.stage import Stage
from pipelines.transform import Transform
from pipelines.validate import Validate
from spark_jobs.star.inputs import LoadInputs
from spark_jobs.star.load import load
from spark_jobs.star.tables import LOADED
from targets.dataset import Staging
from targets.tables import Table


class Load(Stage):
    """Output: a sub-directory a table of the star (spark_jobs.star.tables)."""

    stage = "load"

    def requires(self) -> list[Stage]:
        """Validate, Fetch and Transform."""
        return self.upstream(Validate, Fetch, Transform)

    def settings_read(self) -> Mapping[str, Any]:
        return {}

    def tables(self) -> Mapping[str, Table]:
        return LOADED

    def work(self, place: Staging) -> tuple[Mapping[str, int], Mapping[str, str]]:
        return load(self.workers(), star_inputs(self), place.path, self.step), {}


def star_inputs(stage: Stage) -> LoadInputs:
    """Where the tables lie that the star of the stage's drop is made of."""
    inputs = stage.inputs

    def table(name: str, table: str) -> str:
        return inputs[name].dataset.table(table)

    return LoadInputs(
        fs=stage.places.fs,
        requests=table("validate", "requests"),
        settled=tuple(table(name, "settled") for name in ("validate", "fetch", "transform")),
        originals=table("fetch", "originals"),
        images=table("transform", "images"),
        drop=stage.dropped,
    )
