"""Options of the driver's JVM."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from conf.settings import Settings
from spark_jobs.session import java
from spark_jobs.session.properties import properties

_C1 = "-XX:TieredStopAtLevel=1"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / 'a "name"' / "spark.jsa"
    monkeypatch.setattr(java, "archive", lambda: place)
    return place


def test_little_work_is_compiled_quickly(archive: Path) -> None:
    assert _C1 in java.options(short=True)
    assert _C1 not in java.options(short=False)


def test_the_archive_is_used_where_there_is_one(archive: Path) -> None:
    assert "SharedArchiveFile" not in java.options(short=True)
    archive.parent.mkdir()
    archive.touch()
    assert f'"-XX:SharedArchiveFile={archive.parent.parent}/a \\"name\\"/spark.jsa"' in java.options(short=False)


def test_java_passes_over_an_archive_that_does_not_fit_without_a_word(tmp_path: Path) -> None:
    archive = tmp_path / "spark.jsa"
    archive.write_bytes(b"no archive")
    command = ["java", "-Xshare:auto", *java.QUIET, f"-XX:SharedArchiveFile={archive}", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "archive" not in done.stdout + done.stderr


@pytest.mark.parametrize("short", [True, False])
@pytest.mark.parametrize("chosen", ["", "-Xss4m", "-XX:+UseG1GC", "-Xss4m -XX:+UseSerialGC"])
def test_java_starts_with_any_collector_that_an_operator_chooses(archive: Path, short: bool, chosen: str) -> None:
    made = java.options(short, chosen).split()
    assert sum(option.endswith("GC") for option in made) == 1
    done = subprocess.run(["java", *made, "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("short", [True, False])
@pytest.mark.parametrize("variable", ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"])
def test_java_starts_with_a_collector_that_its_environment_names(
    archive: Path, short: bool, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "-XX:+UseG1GC")
    command = ["java", *java.options(short).split(), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_an_operator_chooses_comes_last(archive: Path, tmp_path: Path) -> None:
    archive.parent.mkdir()
    archive.touch()
    conf = {"spark.driver.extraJavaOptions": "-Xss4m"}
    settings = Settings(env="test", home=tmp_path, spark={"master": "local[2]", "conf": conf})
    made = properties(settings, short=True)["spark.driver.extraJavaOptions"]
    assert made.startswith(_C1)
    assert "SharedArchiveFile" in made
    assert made.endswith(" -Xss4m")
