"""Whom runs tell what they read and write."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from conf.sections.kinds import Directory, Seconds, Section


def _end_point(url: str) -> str:
    if not url:
        return url
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"it is no URL: {error}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("it must begin with http:// or https://, such as http://127.0.0.1:5000/api/v1/lineage")
    if "@" in parts.netloc:
        raise ValueError("it must not hold a user or password: token_file names a file with a token")
    return url


class Lineage(Section):
    """OpenLineage events of each stage and action. To tell them never fails a run."""

    file: Directory = Field("", description="file that OpenLineage events are added to, one a line; empty: none")
    url: Annotated[str, AfterValidator(_end_point)] = Field(
        "",
        description="where OpenLineage events are posted to, such as http://127.0.0.1:5000/api/v1/lineage; "
        "empty: nowhere",
    )
    token_file: str = Field("", description="file (mode 0600) of the token that url asks for; empty: none")
    seconds: Seconds = Field(
        5, description="how long one event may take, and how long the end of a run waits for the last ones"
    )
