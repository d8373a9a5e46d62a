"""Where the JVM and its Python workers meet."""

from __future__ import annotations

import functools
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from spark_jobs import sockets

_ENABLED, _PLACE = "spark.python.unix.domain.socket.enabled", "spark.python.unix.domain.socket.dir"


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where directories are made, none of which is known yet."""
    root = tmp_path_factory.mktemp("s")
    monkeypatch.setattr("tempfile.tempdir", str(root))
    monkeypatch.setattr(sockets, "directory", functools.cache(sockets.directory.__wrapped__))
    return root


def test_nobody_else_may_enter(root: Path) -> None:
    assert sockets.directory().parent == root
    assert sockets.directory().stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("longer", [0, 1])
def test_a_directory_whose_sockets_would_have_too_long_a_name_is_not_used(
    root: Path, monkeypatch: pytest.MonkeyPatch, longer: int
) -> None:
    named = len(f"/landfall-12345678/.{uuid.uuid4()}.sock")
    deep = root / ("x" * (107 - len(f"{root}/") - named + longer))
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    found = sockets.properties()
    if longer:
        assert found == {}
        return
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{found[_PLACE]}/.{uuid.uuid4()}.sock")
    assert found[_ENABLED] == "true"


def test_workers_are_met_there(spark: SparkSession) -> None:
    def kinds(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import os

        for _ in batches:
            yield pa.RecordBatch.from_pylist([{"met": os.environ.get("PYTHON_WORKER_FACTORY_SOCK_DIR", "")}])

    [row] = spark.range(1).mapInArrow(kinds, "met string").collect()
    assert row.met == spark.conf.get(_PLACE)
    assert Path(row.met).name.startswith("landfall-")
