"""What a look at one part found."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from conf.errors import ConfigError, LandfallError

State = Literal["well", "look", "ill"]


@dataclass(frozen=True)
class Finding:
    """One row of the doctor's table.

    Attributes:
        part: what was looked at, such as ``lake``.
        what: what was asked of it.
        state: ``well``; ``look``: it works, and somebody should know; ``ill``: a run fails, or promises do not hold.
        found: what was found, as a sentence or a figure.
        fix: what to do; empty where all is well.
    """

    part: str
    what: str
    state: State
    found: str
    fix: str = ""


Look = Callable[[], Iterable[Finding]]
"""Looks at one part. A fault that it raises is a finding too."""


def well(part: str, what: str, found: str) -> Finding:
    """All is well."""
    return Finding(part, what, "well", found)


def ill(part: str, what: str, error: LandfallError) -> Finding:
    """A fault, in its own words."""
    return Finding(part, what, "ill", " ".join(error.what.split()), " ".join(error.fix.split()))


def mistakes(part: str, what: str, error: LandfallError) -> Iterator[Finding]:
    """What is wrong with a file that an operator wrote, a finding for each mistake."""
    for problem in error.problems if isinstance(error, ConfigError) else [str(error)]:
        yield Finding(part, what, "ill", " ".join(problem.split()), "Correct the file.")


@contextlib.contextmanager
def finding(findings: list[Finding], part: str, what: str) -> Iterator[None]:
    """Has a fault of the block become a finding; the next question is asked all the same."""
    try:
        yield
    except LandfallError as error:
        findings.append(ill(part, what, error))
