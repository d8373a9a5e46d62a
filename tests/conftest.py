"""What every test stands on: settings of its own, and one Spark session for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from pyspark.sql import SparkSession

from conf.settings import Settings, load_settings

if TYPE_CHECKING:
    from tests.servers.hdfs import HdfsCluster

# The same examples each time, and no limit on time: the machines are noisy.
hypothesis.settings.register_profile("landfall", deadline=None, derandomize=True)
hypothesis.settings.load_profile("landfall")


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test has a home of its own and reads its settings afresh."""
    monkeypatch.setenv("LANDFALL_ENV", "test")
    monkeypatch.setenv("LANDFALL_HOME", str(tmp_path / "home"))
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """One UTC session for all tests."""
    from spark_jobs.session import session

    settings = Settings(env="test", home=tmp_path_factory.mktemp("spark"))
    made = session(settings)
    yield made
    made.stop()


@pytest.fixture(scope="session")
def hdfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HdfsCluster]:
    """A NameNode and a DataNode for all tests; each takes a directory of its own, and leaves them running."""
    from tests.servers.hdfs import SERVICE, HdfsCluster

    groups = {f"{SERVICE}-{client}": f"{SERVICE}-{client}" for client in ("demo", "acme")}
    with HdfsCluster(tmp_path_factory.mktemp("hdfs") / "cluster", groups=groups) as running:
        yield running
