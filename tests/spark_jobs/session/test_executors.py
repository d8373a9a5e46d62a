"""Executors that would give another result are refused, each difference in a sentence."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from conf.errors import ConfigError
from conf.settings import Settings
from spark_jobs.session import executors
from spark_jobs.session.reach import refuse_out_of_reach
from spark_jobs.session.shipping import archive


class _Answers:
    """A session whose executors say what a test has them say: other machines are not at hand."""

    def __init__(self, *said: dict[str, Any]) -> None:
        self._said = said
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return self if name == "sparkContext" else lambda *_: self

    def collect(self) -> list[Any]:
        self.asked += 1
        return [type("Row", (), {"said": json.dumps(one)}) for one in self._said]


def there(home: Path, **other: Any) -> dict[str, Any]:
    """What an executor says that is as it should be, but for some things."""
    here = executors.describe({}, executors.libraries(settings(home)))
    return {**here, "host": "far", "code": archive(settings(home)).name, **other}


def settings(home: Path, **more: Any) -> Settings:
    return Settings(env="test", home=home, spark={"shared_storage": True}, **more)


def problems(home: Path, *said: dict[str, Any], **more: Any) -> str:
    chosen = settings(home, **more)
    with pytest.raises(ConfigError) as refused:
        executors.check(_Answers(*said), chosen, 1, archive(chosen))  # type: ignore[arg-type]
    return str(refused.value)


def test_the_same_everywhere_is_well(tmp_path: Path) -> None:
    executors.check(_Answers(there(tmp_path)), settings(tmp_path), 1, archive(settings(tmp_path)))  # type: ignore[arg-type]
    assert not list(tmp_path.rglob(".probe-*"))


def test_every_difference_is_told(tmp_path: Path) -> None:
    libraries = there(tmp_path)["libraries"]
    said = problems(
        tmp_path,
        there(tmp_path, host="a", python="3.9"),
        there(tmp_path, host="b", libraries={**libraries, "pyarrow": "1.0", "pillow": ""}),
        there(tmp_path, host="c", code="/opt/landfall/spark_jobs/__init__.py"),
        there(tmp_path, host="d", unseen=["/srv/lake/.probe-1"]),
        there(tmp_path, host="e", machine="another"),
    )
    assert "The executor on a has Python 3.9; here it is" in said
    assert f"The executor on b has other libraries: pillow missing (here {libraries['pillow']}), pyarrow 1.0" in said
    assert "The executor on c runs another Landfall, /opt/landfall/spark_jobs/__init__.py" in said
    assert "The executor on d does not see /srv/lake, though spark.shared_storage is set" in said
    assert "The executor on e is another machine, and SQLite's files are not safe on a network file system" in said


def test_another_machine_is_well_with_a_server_for_images(tmp_path: Path) -> None:
    chosen = settings(tmp_path, images={"url": "mongodb://127.0.0.1"})
    said = there(
        tmp_path, machine="another", libraries=executors.describe({}, executors.libraries(chosen))["libraries"]
    )
    answering = _Answers(said)
    executors.check(answering, chosen, 1, archive(chosen))  # type: ignore[arg-type]
    assert answering.asked == 1
    assert problems(tmp_path, said).count("is another machine") == 1


def test_a_real_session_is_asked(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="runs another Landfall") as refused:
        executors.check(spark, settings(tmp_path), 1, archive(settings(tmp_path)))
    assert len(refused.value.problems) == 1


def test_the_archive_is_the_same_for_the_same_code_and_runs_alone(tmp_path: Path) -> None:
    made = archive(settings(tmp_path))
    assert archive(settings(tmp_path / "other")).read_bytes() == made.read_bytes()
    assert {name.partition("/")[0] for name in zipfile.ZipFile(made).namelist()} == {"conf", "targets", "spark_jobs"}
    code = (
        "import spark_jobs.store, spark_jobs.fetch, spark_jobs.transforms as t; print(t.__file__, *t.load(t.names()))"
    )
    libraries = next(path for path in sys.path if path.endswith("site-packages"))
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": f"{made}:{libraries}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith(str(made)), done.stderr
    assert "grayscale" in done.stdout


def test_what_executors_cannot_reach_is_refused(tmp_path: Path) -> None:
    alone = Settings(env="test", home=tmp_path)
    with pytest.raises(ConfigError) as refused:
        refuse_out_of_reach(alone, "yarn")
    assert len(refused.value.problems) == 2
    refuse_out_of_reach(settings(tmp_path), "yarn")
    servers = Settings(
        env="test", home=tmp_path, lake={"url": "hdfs://a:8020/l"}, images={"url": "mongodb://127.0.0.1"}
    )
    refuse_out_of_reach(servers, "yarn")
