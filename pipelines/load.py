"""Load: the star of one drop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.fetch import Fetch
from pipelines.stage import Stage
from pipelines.transform import Transform
from pipelines.validate import Validate
from spark_jobs.star.load import LoadInputs, load
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
        return load(self.spark(), star_inputs(self), place.fs, place.path, self.step), {}


def star_inputs(stage: Stage) -> LoadInputs:
    """Where the tables lie that the star of the stage's drop is made of."""
    inputs = stage.inputs

    def uri(name: str, table: str) -> str:
        dataset = inputs[name].dataset
        return dataset.fs.uri(dataset.table(table))

    return LoadInputs(
        requests=uri("validate", "requests"),
        settled=tuple(uri(name, "settled") for name in ("validate", "fetch", "transform")),
        originals=uri("fetch", "originals"),
        images=uri("transform", "images"),
        drop=stage.dropped,
    )
