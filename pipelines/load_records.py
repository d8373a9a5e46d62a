"""Load of a feed of records: the star of one drop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.stage import Stage
from pipelines.validate_records import ValidateRecords
from spark_jobs.star.described import feed_tables
from spark_jobs.star.records import RecordInputs, load_records
from targets.dataset import Staging
from targets.tables import Table


class LoadRecords(Stage):
    """Output: a sub-directory a table of the feed (spark_jobs.star.described)."""

    stage = "load"

    def requires(self) -> list[Stage]:
        """Validate."""
        return self.upstream(ValidateRecords)

    def settings_read(self) -> Mapping[str, Any]:
        """How the tables are described and partitioned."""
        feed = self.dropped.records
        tables = {name: table.to_json() for name, table in self.tables().items()}
        return {"tables": tables, "partition_by": feed.partition_by, "period": feed.period}

    def tables(self) -> Mapping[str, Table]:
        return feed_tables(self.feed, self.dropped.records)

    def work(self, place: Staging) -> tuple[Mapping[str, int], Mapping[str, str]]:
        return load_records(self.spark(), record_inputs(self), place.path, self.step), {}


def record_inputs(stage: Stage) -> RecordInputs:
    """Where the tables lie that the star of the stage's drop is made of."""
    dataset = stage.inputs["validate"].dataset
    records, settled, warnings = map(dataset.table, ("records", "settled", "warnings"))
    return RecordInputs(dataset.fs, records, settled, warnings, stage.dropped)
