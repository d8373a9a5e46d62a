"""A web, and installations whose catalogues name it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from landfall.sample_web import SampleWeb
from tests.installation import Installation


@pytest.fixture(scope="session")
def web() -> Iterator[SampleWeb]:
    """A web in a process of its own; the same seed gives the same pictures."""
    with SampleWeb(seed=7, process=True) as running:
        yield running


@pytest.fixture
def installation(tmp_path: Path, web: SampleWeb) -> Installation:
    return Installation(tmp_path / "installation", web.port).prepare()


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, web: SampleWeb) -> Callable[[str], Installation]:
    """Makes an installation that outlives a test."""
    return lambda name: Installation(tmp_path_factory.mktemp(name) / "installation", web.port).prepare()
