"""Plans that suit the work: a drop of some thousand lines is done before Spark has compiled code for it."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import SparkSession

from conf.settings import Settings
from spark_jobs.session.properties import session_properties

# Of a file, unpacked, up to which its tables are small.
_LITTLE_BYTES = 1 << 20
_LITTLE_LINES = 30_000
# One partition a shuffle, no job a stage (adaptive plans run each stage as one), expressions interpreted.
_PLANS = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
_USUAL = {"spark.sql.codegen.wholeStage": "true", "spark.sql.codegen.factoryMode": "FALLBACK"}


def is_little(size: int, lines: int = 0) -> bool:
    """Whether the tables of a file of ``size`` bytes, and of so many lines where that is known, are small."""
    return size <= _LITTLE_BYTES and lines <= _LITTLE_LINES


def suit(spark: SparkSession, settings: Settings, little: bool) -> None:
    """Sets how the session plans from now on; what ``spark.conf`` names stays as it says there."""
    chosen = settings.spark.conf
    usual = {**_USUAL, **session_properties(settings)}
    plans: Mapping[str, str] = _PLANS if little else {name: usual[name] for name in _PLANS}
    for name, value in plans.items():
        if name not in chosen and spark.conf.get(name, None) != value:
            spark.conf.set(name, value)
