"""``[[workflow]]`` of a client's file: what is done with published data, as actions in stages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from conf.actions import Action, Aggregate, Deliver, Load, Python
from conf.names import Name
from conf.problems import not_empty

BUILT_IN = "star"
"""The workflow that every client with catalogues has."""


def _own_workflow(name: str) -> str:
    if name == BUILT_IN:
        raise ValueError(f"{BUILT_IN} is built in: choose another name")
    return name


class After(BaseModel):
    """Which publications a workflow follows.

    Attributes:
        any: runs when a drop of any of these feeds is published; or
        all: when each of these feeds has a drop that was received within one period, and one of them is new.
        period: of ``all`` (UTC).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    any: tuple[Name, ...] = ()
    all: tuple[Name, ...] = ()
    period: Literal["day", "month"] = "day"

    @model_validator(mode="after")
    def _one_of_both(self) -> After:
        if bool(self.any) == bool(self.all):
            raise ValueError("it must have either any or all, a list of feeds")
        return self

    @property
    def feeds(self) -> tuple[str, ...]:
        """The feeds, however they count."""
        return self.any or self.all


class Stage(BaseModel):
    """Actions side by side."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    actions: Annotated[tuple[Action, ...], AfterValidator(not_empty)]


class Workflow(BaseModel):
    """One workflow.

    Attributes:
        after: what it follows; a list of feeds means any of them.
        workers: how many actions run at once.
        stages: one after the other.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[Name, AfterValidator(_own_workflow)]
    after: Annotated[After, BeforeValidator(lambda given: {"any": given} if isinstance(given, list | tuple) else given)]
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    stages: Annotated[tuple[Stage, ...], AfterValidator(not_empty)]

    def actions(self) -> Iterator[tuple[int, Aggregate | Load | Python | Deliver]]:
        """Every action, in order, with the number of its stage."""
        for number, stage in enumerate(self.stages):
            for action in stage.actions:
                yield number, action
