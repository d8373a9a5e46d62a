"""The doctor: looks at every part that the settings name, as a run would use it, and says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from conf.errors import LandfallError
from conf.settings import Settings
from landfall.doctor.configuration import configuration
from landfall.doctor.finding import Finding, ill
from landfall.doctor.images import images
from landfall.doctor.lake import lake
from landfall.doctor.landing import landing
from landfall.doctor.machine import machine
from landfall.doctor.people import people
from landfall.doctor.scheduler import scheduler
from landfall.doctor.spark import spark

__all__ = ["Finding", "examine"]


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, part by part, as it is found. Whatever is ill with one part, the others are looked at."""
    looks: dict[str, Callable[[], Iterator[Finding]]] = {
        "machine": lambda: machine(settings),
        "configuration": configuration,
        "landing": lambda: landing(settings),
        "lake": lambda: lake(settings),
        "images": lambda: images(settings),
        "people": lambda: people(settings),
        "spark": lambda: spark(settings),
        "scheduler": scheduler,
    }
    for part, look in looks.items():
        try:
            yield from look()
        except LandfallError as error:
            yield ill(part, "reach", error)
