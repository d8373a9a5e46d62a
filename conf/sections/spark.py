"""The Spark session."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from conf.sections.kinds import Count, Memory, Section, shaped


class Spark(Section):
    """The Spark session."""

    master: Annotated[str, shaped(r"local(\[(\*|\d+)\])?", "local, local[4] or local[*]")] = Field(
        "local[*]", description="Spark master; on this machine, as lake and image store are"
    )
    driver_memory: Memory = Field("1g", description="heap of the driver's JVM")
    shard_rows: Count = Field(256, description="pictures in one shard: the unit of work, of progress and of resuming")
    shuffle_partitions: Count = Field(8, description="partitions of a shuffle")
    conf: dict[Annotated[str, shaped(r"spark\.\S+", "a name that begins with spark.")], str] = Field(
        {}, description="further Spark properties"
    )
