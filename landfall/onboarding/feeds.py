"""The feeds that a command or a list asks for, as tables of a client's file."""

from __future__ import annotations

from collections.abc import Sequence

from conf.errors import ConfigError
from conf.problems import nearest, shown
from conf.settings import Settings
from landfall.onboarding import toml
from landfall.onboarding.asked import KINDS, Asked
from landfall.onboarding.proposal import Proposal, proposal
from landfall.onboarding.sample import read_sample


def tables(asked: Asked, settings: Settings) -> tuple[tuple[Sequence[str], ...], Proposal | None]:
    """The feed's tables, and what they were proposed by; ConfigError for what does not go together."""
    kind = asked.kind or ("images" if asked.sources else "records")
    if kind not in KINDS:
        raise ConfigError(f"The kind {shown(kind)} is none; allowed are {' and '.join(KINDS)}{nearest(kind, KINDS)}")
    if kind == "images":
        if asked.sample is not None:
            raise ConfigError("A sample is of a feed of records; of one of images say the sources.")
        if not asked.sources:
            raise ConfigError("A feed of images needs its sources: the hosts that its catalogues may name.")
        fields = {"kind": "images", "sources": list(asked.sources)}
        return (toml.table(f"[feeds.{asked.feed}]", fields),), None
    if asked.sources:
        raise ConfigError("A feed of records has no sources; they are of images.")
    if asked.sample is None:
        return _template(asked.feed), None
    with read_sample(asked.sample, settings) as sample:
        found = proposal(sample)
    return tuple(found.tables(asked.feed)), found


def _template(feed: str) -> tuple[Sequence[str], ...]:
    """A feed of records with one column, to be edited."""
    column = toml.table(f"[[feeds.{feed}.columns]]", {"name": "id", "type": "string"})
    return (
        toml.table(f"[feeds.{feed}]", {"kind": "records", "format": "csv"}),
        ["# One of these for each column of the file: see docs/records.md.", *column],
    )
