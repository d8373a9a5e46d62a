"""What a session makes of next to nothing before it is asked for it."""

from __future__ import annotations

from typing import cast

import pytest
from pyspark.sql import SparkSession

from spark_jobs.actions.rehearsal import rehearse
from spark_jobs.sockets import directory


@pytest.mark.parametrize("little", [True, False])
def test_a_rehearsal_leaves_nothing(spark: SparkSession, little: bool) -> None:
    told: list[str] = []
    before = set(spark.sparkContext.statusTracker().getJobIdsForGroup(None))
    rehearse(spark, little, told.append)
    assert told == []
    assert set(spark.sparkContext.statusTracker().getJobIdsForGroup(None)) > before
    assert list(directory().glob("rehearsal-*")) == []


def test_one_that_breaks_off_is_told() -> None:
    told: list[str] = []
    rehearse(cast(SparkSession, None), True, told.append)
    assert len(told) == 1
    assert told[0].startswith("The rehearsal failed")
    assert list(directory().glob("rehearsal-*")) == []
