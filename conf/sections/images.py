"""Pictures, and where they are kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from conf.sections.kinds import Count, Number, Section
from conf.sections.mongo import check_store


class Images(Section):
    """What a picture may be, how results are encoded, and where they are kept for look-ups."""

    url: Annotated[str, AfterValidator(check_store)] = Field(
        "",
        description="the image store: a directory of SQLite databases, or mongodb://host; empty means <home>/images",
    )
    max_pixels: Count = Field(100_000_000, description="a picture with more is quarantined before it is decoded")
    jpeg_quality: Annotated[int, Number, Field(ge=1, le=100)] = Field(85, description="quality of JPEG results")
