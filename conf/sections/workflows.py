"""Workflows."""

from __future__ import annotations

from pydantic import Field

from conf.sections.kinds import Directory, Section


class Workflows(Section):
    """What the workflows of clients need."""

    modules: Directory = Field(
        "",
        description="where the clients' Python modules lie, <client>/<module>.py; empty means <LANDFALL_CONF>/modules",
    )
