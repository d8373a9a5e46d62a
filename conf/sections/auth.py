"""Who may ask."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from conf.sections.kinds import Number, Section, place


def _servers(text: str) -> str:
    for one in text.split():
        parts = urlsplit(one)
        if parts.scheme not in ("ldap", "ldaps") or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError(
                "it must be ldaps://host or ldap://host with or without a port, several with spaces between"
            )
    return text


class Auth(Section):
    """Who may ask."""

    url: Annotated[str, place("ldap", "ldaps"), AfterValidator(_servers)] = Field(
        "",
        description="the directory that proves who a person is: ldaps://host, several with spaces between; "
        "empty means the file <home>/directory.json, which prod refuses",
    )
    cache_seconds: Annotated[float, Number, Field(ge=0, le=60)] = Field(
        60, description="how long a proof and its groups are believed"
    )
