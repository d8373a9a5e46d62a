"""The directory that proves who people are."""

from __future__ import annotations

from collections.abc import Iterator

from auth.directory.file import FileDirectory
from conf.settings import Settings
from landfall.doctor.finding import Finding, well

_PART = "people"
_NOBODY = "landfall-doctor"


def people(settings: Settings) -> Iterator[Finding]:
    """Reach; nobody is asked for a password."""
    directory = FileDirectory.of(settings.home)
    directory.find(_NOBODY)
    yield well(_PART, "reach", f"the file {directory.path}, for dev and test only")
