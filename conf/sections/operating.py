"""Queries and logs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from conf.sections.kinds import Count, Seconds, Section, shaped


class Query(Section):
    """SQL from people."""

    memory: Annotated[str, shaped(r"[1-9]\d*([KMGT]i?B)", "a number and MB, MiB, GB or GiB, such as 1GB")] = Field(
        "1GB", description="memory that one query may use"
    )
    threads: Count = Field(2, description="threads that one query may use")
    seconds: Seconds = Field(300, description="time that one query may take")


class Log(Section):
    """The run log."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is written")
