"""Who may ask."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from conf.sections.kinds import Number, Section, place


class Auth(Section):
    """Who may ask."""

    url: Annotated[str, place("ldap", "ldaps")] = Field(
        "",
        description="the directory that proves who a person is: ldaps://host, several with spaces between; "
        "empty means the file <home>/directory.json, which prod refuses",
    )
    cache_seconds: Annotated[float, Number, Field(ge=0, le=60)] = Field(
        60, description="how long a proof and its groups are believed"
    )
