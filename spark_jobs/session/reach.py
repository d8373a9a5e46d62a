"""Where a session's tasks run, and whether they can reach there what a run reads and writes."""

from __future__ import annotations

from pyspark.sql import SparkSession

from conf.errors import ConfigError
from conf.settings import Settings


def is_remote(spark: SparkSession) -> bool:
    """Whether the session is of a Connect server."""
    return type(spark).__module__.startswith("pyspark.sql.connect.")


def lake_directory(settings: Settings) -> str:
    """The lake's directory on this machine; empty if it lies on a server."""
    return "" if "://" in settings.lake.url else settings.lake_base


def store_directory(settings: Settings) -> str:
    """The SQLite image stores' directory on this machine; empty if they lie on a server."""
    return "" if "://" in settings.images.url else str(settings.store_root)


def refuse_out_of_reach(settings: Settings, where: str) -> None:
    """Refuses a lake or image store that lies in a directory of this machine, unless the settings say it is shared.

    Args:
        where: what runs the tasks, such as ``spark://host:7077``.

    ConfigError names what executors cannot reach, and what to choose instead.
    """
    if settings.spark.shared_storage:
        return
    places = {
        "lake": (lake_directory(settings), "an HDFS lake (lake.url)"),
        "image store": (store_directory(settings), "a MongoDB image store (images.url)"),
    }
    problems = [
        f"The {what} is {place}, which executors of {where} cannot reach. Name {instead}; "
        "or set spark.shared_storage = true, if that directory is the same one on every executor."
        for what, (place, instead) in places.items()
        if place
    ]
    if problems:
        raise ConfigError(*problems)
