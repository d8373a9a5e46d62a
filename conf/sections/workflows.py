"""Workflows."""

from __future__ import annotations

from pydantic import Field

from conf.sections.kinds import Days, Directory, Section


class Workflows(Section):
    """What the workflows of clients need."""

    modules: Directory = Field(
        "",
        description="where the clients' Python modules lie, <client>/<module>.py; empty means <LANDFALL_CONF>/modules",
    )
    keep_superseded_days: Days = Field(
        30, description="outputs of workflows that readers see no more are removed after so many days; 0: never"
    )
