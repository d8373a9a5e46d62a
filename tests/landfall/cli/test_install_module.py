from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from conf.settings import load_settings
from spark_jobs.actions.modules import read_module
from targets import whole_file
from tests.landfall.cli.conftest import Ended

Call = Callable[..., Ended]
GRANTS = """
[[grants]]
group = "{group}"
role = "{role}"
client = "acme"
feeds = {feeds}
"""
CLIENT = """
client = "acme"
[feeds.photos]
kind = "images"
sources = ["127.0.0.1:8200"]
[[workflow]]
name = "sales"
after = ["photos"]
[[workflow.stages]]
[[workflow.stages.actions]]
name = "rank"
kind = "python"
function = "acme_marts:score"
reads = ["dim_source"]
into = "mart_score"
"""
SCORE = "def score(rows):\n    return rows\n"


@pytest.fixture(autouse=True)
def admitted(house: Path) -> Path:
    grants = house / "conf/grants.toml"
    for group, role, feeds in (("admins", "admin", '"*"'), ("operators", "operator", '"*"'), ("all", "admin", '["x"]')):
        with grants.open("a") as file:
            file.write(GRANTS.format(group=group, role=role, feeds=feeds))
    (house / "conf/clients/acme.toml").write_text(CLIENT)
    return house


@pytest.fixture
def install(landfall: Call, house: Path) -> Call:
    """``install(source, name)``: what the command says of a file."""

    def call(source: str | bytes, name: str = "acme_marts.py", user: str = "adm") -> Ended:
        (house / name).write_bytes(source.encode() if isinstance(source, str) else source)
        return landfall("install-module", "acme", house / name, user=user)

    return call


def there(house: Path) -> Path:
    return house / "conf/modules/acme/acme_marts.py"


def test_what_is_installed_is_what_a_run_takes(install: Call, house: Path) -> None:
    umask = os.umask(0o077)
    try:
        ended = install(SCORE)
    finally:
        os.umask(umask)
    assert ended.code == 0, ended.err
    digest = hashlib.sha256(SCORE.encode()).hexdigest()
    assert f"sha-256 {digest}" in ended.out
    assert "sales/rank" in ended.out
    assert stat.S_IMODE(there(house).stat().st_mode) == 0o644
    found = read_module(load_settings(), "acme", "acme_marts")
    assert (found.digest, found.function("score")(7)) == (digest, 7)
    decision = json.loads((house / "home/logs/audit.jsonl").read_text().splitlines()[-1])
    assert (decision["user"], decision["action"], decision["allowed"]) == ("adm", "install", True)


def test_another_takes_its_place_and_the_same_changes_nothing(install: Call) -> None:
    assert install(SCORE).code == 0
    assert "is what it was" in install(SCORE).out
    ended = install(SCORE + "# mended\n")
    assert f"before {hashlib.sha256(SCORE.encode()).hexdigest()}" in ended.out


@pytest.mark.parametrize("user", ["olga", "vera", "ann"])  # ann is admin of one feed alone
def test_nobody_but_an_admin_installs(install: Call, house: Path, user: str) -> None:
    ended = install(SCORE, user=user)
    assert ended.code == 77
    assert not there(house).exists()
    decision = json.loads((house / "home/logs/audit.jsonl").read_text().splitlines()[-1])
    assert (decision["user"], decision["action"], decision["allowed"]) == (user, "install", False)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def scores(rows):\n    return rows\n", "defines no score, which the client's workflows name; did you mean"),
        ("async def score(rows):\n    return rows\n", "defines no score"),
        ("def other():\n    def score(rows): ...\n", "defines no score"),
        ("def score(rows)\n    return rows\n", "is no Python: line 1: "),
        ("return 1\ndef score(rows): ...\n", "is no Python: line 1: "),
        (b"\0", "is no Python: "),
        (b"# coding: utf-8\n\xff\ndef score(rows): ...\n", "is no Python: "),
        ("#" * (1 << 20) + "\n", "has more than 1,048,576 bytes"),
    ],
)
def test_what_could_not_run_is_refused_and_the_old_one_stays(
    install: Call, house: Path, source: str | bytes, says: str
) -> None:
    assert install(SCORE).code == 0
    ended = install(source)
    assert ended.code == 78
    assert says in ended.err
    assert "Traceback" not in ended.err
    assert there(house).read_text() == SCORE


@pytest.mark.parametrize(
    "source",
    [
        "from operator import itemgetter as score\n",
        "score = lambda rows: rows\n",
        "try:\n    import fast\nexcept ImportError:\n    def score(rows):\n        return rows\n",
        "raise SystemExit\ndef score(rows): ...\n",  # it is not run here
        '"\\d"\ndef score(rows): ...\n',
    ],
)
def test_a_function_may_come_about_in_other_ways(install: Call, source: str) -> None:
    assert install(source).code == 0


def test_a_module_that_nothing_names_is_told(install: Call) -> None:
    ended = install("", "other.py")
    assert ended.code == 0
    assert "No workflow of acme names it yet" in ended.out


@pytest.mark.parametrize("name", ["acme-marts.py", "acme_marts.txt", "1st.py"])
def test_a_name_that_no_workflow_could_say(install: Call, name: str) -> None:
    assert install(SCORE, name).code == 78


def test_what_is_not_there_is_a_sentence(landfall: Call, house: Path) -> None:
    assert landfall("install-module", "acme", house / "none.py", user="adm").code == 66
    assert landfall("install-module", "none", house / "none.py", user="adm").code == 77


def test_a_directory_that_others_write_to_is_refused(install: Call, house: Path) -> None:
    there(house).parent.mkdir(parents=True)
    there(house).parent.chmod(0o777)
    ended = install(SCORE)
    assert (ended.code, "Others may write to" in ended.err) == (78, True)


def test_a_kill_leaves_the_old_one(install: Call, house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert install(SCORE).code == 0

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(whole_file.os, "fchmod", die)
        assert install(SCORE + "# half\n").code == 130
    assert there(house).read_text() == SCORE
    assert [file.name for file in there(house).parent.iterdir()] == ["acme_marts.py"]
