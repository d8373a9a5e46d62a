from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

import conf
from conf.settings import load_settings
from landfall.home import make_home
from tests.landfall.cli.conftest import Ended


@pytest.fixture(autouse=True)
def _made(spark: SparkSession, house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (house / "home").chmod(0o700)
    monkeypatch.setenv("LUIGI_CONFIG_PATH", str(Path(conf.__file__).parent / "luigi.cfg"))
    make_home()


def _findings(landfall: Callable[..., Ended], exit_code: int) -> dict[tuple[str, str], dict[str, Any]]:
    done = landfall("doctor", "--json")
    assert done.code == exit_code, done.out + done.err
    return {(one["part"], one["what"]): one for one in json.loads(done.out)}


def test_all_parts_are_well_after_init(landfall: Callable[..., Ended]) -> None:
    found = _findings(landfall, 0)
    assert {part for part, _ in found} == {
        "machine",
        "configuration",
        "landing",
        "lake",
        "images",
        "people",
        "spark",
        "scheduler",
    }
    assert {one["part"] for one in found.values() if one["state"] != "well"} <= {"scheduler", "configuration"}
    assert found["lake", "env stamp"]["found"] == "test"
    assert found["spark", "Python workers"]["state"] == "well"
    assert list(Path(load_settings().lake_base).glob("_doctor*")) == []


def test_a_person_reads_a_table_and_what_to_do(landfall: Callable[..., Ended], house: Path) -> None:
    shutil.rmtree(load_settings().landing_root)
    done = landfall("doctor")
    assert done.code == 69
    assert "Run landfall init." in done.out
    assert "1 part ill" in done.out


def test_whatever_is_ill_the_other_parts_are_looked_at(
    landfall: Callable[..., Ended], house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grants = Path(load_settings().home).parent / "conf" / "grants.toml"
    grants.write_text("[[grants]]\ngroup = 1\n")
    stamp = Path(load_settings().lake_base) / "_landfall.json"
    stamp.write_text('{"env": "prod"}')
    (load_settings().home / "directory.json").unlink()
    found = _findings(landfall, 69)
    ill = {key for key, one in found.items() if one["state"] == "ill"}
    assert ill == {("configuration", "grants"), ("lake", "reach"), ("people", "reach")}
    assert "belongs to the environment prod" in found["lake", "reach"]["found"]
    assert ("spark", "Python workers") in found


def test_each_mistake_of_a_client_file_is_a_row_of_its_own(landfall: Callable[..., Ended], house: Path) -> None:
    (load_settings().home.parent / "conf/clients/wrong.toml").write_text('client = "right"\ncolour = 3\n')
    done = landfall("doctor", "--json")
    assert done.code == 69
    rows = [one for one in json.loads(done.out) if one["what"] == "client wrong"]
    assert [(row["state"], row["fix"]) for row in rows] == [("ill", "Correct the file.")] * 3
    assert {key for key in ("client is", "feeds is", "colour is") if any(key in row["found"] for row in rows)} == {
        "client is",
        "feeds is",
        "colour is",
    }


def test_a_scheduler_that_is_not_there_is_no_illness(
    landfall: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _findings(landfall, 0)
    assert found["scheduler", "reach"]["state"] == "look"
    assert "--local-scheduler" in found["scheduler", "reach"]["fix"]
