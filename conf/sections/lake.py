"""The lake."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from conf.sections.kinds import Section, place


class Lake(Section):
    """Where stages, the register and the published entries lie."""

    url: Annotated[str, place("hdfs")] = Field(
        "", description="where the lake is: a directory, or hdfs://namenode:8020/path; empty means <home>/lake"
    )
