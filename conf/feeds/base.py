"""What every feed says, whatever its kind."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Feed(BaseModel):
    """One feed. What is written into a drop's register, so a drop keeps the configuration it came with.

    Attributes:
        kind: what the feed carries.
        complete: how an upload is known to be complete.
        settle_seconds: with ``settle``, how long size and ctime must stand still (seconds).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    kind: Literal["images", "records"]
    complete: Literal["rename", "sidecar", "settle"] = "rename"
    settle_seconds: Annotated[float, Field(gt=0, le=86_400)] = 10
