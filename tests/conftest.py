"""What every test stands on: settings of its own, and one Spark session for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from pyspark.sql import SparkSession

from auth.directory.file import FileDirectory
from conf.settings import Settings, load_settings

if TYPE_CHECKING:
    from tests.servers.hdfs import HdfsCluster

# The same examples each time, and no limit on time: the machines are noisy.
hypothesis.settings.register_profile("landfall", deadline=None, derandomize=True)
hypothesis.settings.load_profile("landfall")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Names binary parameters by their argument: what is packed may hold the time, and names are the same each time."""
    return argname if isinstance(val, bytes) and not val.decode("latin-1").isprintable() else None


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test has a home of its own and reads its settings afresh."""
    monkeypatch.setenv("LANDFALL_ENV", "test")
    monkeypatch.setenv("LANDFALL_HOME", str(tmp_path / "home"))
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


# The people of the tests that ask the gate, and their groups; what these may do is each test's own grants.
PEOPLE = {
    "ada": ["operators"],
    "adm": ["admins"],
    "ann": ["all"],
    "eve": [],
    "olga": ["operators"],
    "sam": ["scanners"],
    "una": ["every"],
    "vera": ["viewers"],
    "vic": ["viewers"],
}


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The people in a file, to be copied into a home; made once, for scrypt takes its time."""
    made = FileDirectory.of(tmp_path_factory.mktemp("people"))
    for user, groups in PEOPLE.items():
        made.add(user, f"secret of {user}", groups)
    return made.path


@pytest.fixture
def as_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Says who asks from now on, by the right password unless another is given; returns the password's file."""

    def say(user: str, password: str | None = None) -> Path:
        file = tmp_path / f"password-of-{user}"
        file.touch(mode=0o600)
        file.write_text(f"secret of {user}\n" if password is None else password)
        monkeypatch.setenv("LANDFALL_USER", user)
        monkeypatch.setenv("LANDFALL_PASSWORD_FILE", str(file))
        return file

    return say


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
