"""The gate: who gets in, what is written down, and that a denial touches nothing of the client's."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from auth.directory import Person
from auth.directory.file import FileDirectory
from auth.gate import Permit, authorize, explain
from conf.errors import AccessDenied, ConfigError
from conf.settings import load_settings

GRANTS = """
[[grants]]
group = "operators"
role = "operator"
client = "acme"
feeds = ["photos", "scans"]
[[grants]]
group = "viewers"
role = "viewer"
client = "*"
feeds = "*"
[[grants]]
group = "admins"
role = "admin"
client = "acme"
feeds = "*"
"""


@pytest.fixture(autouse=True)
def house(people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a directory of people, and a conf with grants but no client at all."""
    (tmp_path / "home").mkdir()
    shutil.copy2(people, tmp_path / "home" / "directory.json")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "test.toml").touch()
    (tmp_path / "conf" / "grants.toml").write_text(GRANTS)
    monkeypatch.setenv("LANDFALL_CONF", str(tmp_path / "conf"))
    return tmp_path


def _trail() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (load_settings().log_root / "audit.jsonl").read_text().splitlines()]


def test_a_grant_lets_in_on_its_feeds(as_user: Any) -> None:
    as_user("ada")
    assert authorize("acme", "run") == Permit("ada", "acme", "run", frozenset({"photos", "scans"}))
    assert authorize("acme", "run", "photos").feeds == frozenset({"photos"})
    as_user("vic")
    assert authorize("acme", "status").feeds is None


def test_every_decision_is_one_line_of_a_private_log(as_user: Any) -> None:
    as_user("ada")
    authorize("acme", "run", "photos")
    with pytest.raises(AccessDenied):
        authorize("globex", "run")
    as_user("ada", "wrong")
    with pytest.raises(AccessDenied):
        authorize("acme", "run")

    assert [
        {key: line[key] for key in ("user", "client", "feed", "action", "allowed", "feeds")} for line in _trail()
    ] == [
        {"user": "ada", "client": "acme", "feed": "photos", "action": "run", "allowed": True, "feeds": ["photos"]},
        {"user": "ada", "client": "globex", "feed": None, "action": "run", "allowed": False, "feeds": []},
        {"user": "ada", "client": "acme", "feed": None, "action": "run", "allowed": False, "feeds": []},
    ]
    assert all(line["time"].endswith("Z") and line["reason"] for line in _trail())
    assert (load_settings().log_root / "audit.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("user", "client", "action", "feed"),
    [
        ("eve", "acme", "status", None),
        ("vic", "acme", "run", None),
        ("ada", "globex", "status", None),
        ("ada", "acme", "run", "payroll"),
        ("ada", "acme", "onboard", None),
        ("ada", "../acme", "run", None),
        ("ada", "acme", "../run", None),
        ("ada", "acme\n{}", "run", None),
    ],
)
def test_without_a_grant_nobody_gets_in(user: str, client: str, action: str, feed: str | None, as_user: Any) -> None:
    as_user(user)
    with pytest.raises(AccessDenied) as denied:
        authorize(client, action, feed)
    assert denied.value.exit_code == 77
    assert len(str(denied.value).splitlines()) == 1
    (line,) = _trail()
    assert (line["allowed"], line["client"]) == (False, client)


def test_a_denial_is_the_same_whether_there_is_such_a_client_or_not(house: Path, as_user: Any) -> None:
    as_user("ada")
    with pytest.raises(AccessDenied) as without:
        authorize("globex", "run")
    (house / "conf" / "clients").mkdir()
    (house / "conf" / "clients" / "globex.toml").write_text("not even TOML")
    with pytest.raises(AccessDenied) as there:
        authorize("globex", "run")
    assert str(without.value) == str(there.value)


def test_a_denial_makes_nothing_but_the_audit_log(house: Path, as_user: Any) -> None:
    as_user("ada", "wrong")
    before = sorted(house.rglob("*"))
    with pytest.raises(AccessDenied):
        authorize("acme", "run")
    assert [str(path.relative_to(house)) for path in sorted(set(house.rglob("*")) - set(before))] == [
        "home/logs",
        "home/logs/audit.jsonl",
    ]


def test_a_home_that_is_none_is_not_made_for_a_denial(
    house: Path, as_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user("ada")
    monkeypatch.setenv("LANDFALL_HOME", str(house / "elsewhere"))
    for ask in (lambda: authorize("acme", "run"), lambda: explain("ada", "acme", "run")):
        with pytest.raises(AccessDenied, match=r"There is no directory .*elsewhere.* Run landfall init"):
            ask()
    assert not (house / "elsewhere").exists()


def test_the_audit_log_is_told_what_whoever_asks_is_not(as_user: Any) -> None:
    told = []
    for user in ("ada", "nobody"):
        as_user(user, "wrong")
        with pytest.raises(AccessDenied) as denied:
            authorize("acme", "run")
        told.append(str(denied.value))
    assert told[0] == told[1]
    assert [line["reason"] for line in _trail()] == [
        "The password of 'ada' is wrong.",
        "There is no user 'nobody' in the directory.",
    ]


@pytest.mark.parametrize("what", ["directory", "link", "pipe"])
def test_a_decision_that_cannot_be_written_down_is_a_denial(what: str, house: Path, as_user: Any) -> None:
    as_user("ada")
    log = house / "home" / "logs" / "audit.jsonl"
    log.parent.mkdir()
    if what == "directory":
        log.mkdir()
    elif what == "link":
        log.symlink_to(house / "elsewhere")
    else:
        os.mkfifo(log)
    with pytest.raises(AccessDenied, match="cannot be written down, so access is denied"):
        authorize("acme", "run")
    assert not (house / "elsewhere").exists()


def test_a_directory_that_cannot_be_reached_is_a_denial_that_says_so(house: Path, as_user: Any) -> None:
    as_user("ada")
    (house / "home" / "directory.json").unlink()
    with pytest.raises(AccessDenied, match="cannot be reached"):
        authorize("acme", "run")
    assert "cannot be reached" in _trail()[0]["reason"]


def test_grants_that_cannot_be_read_let_nobody_in_and_tell_no_stranger(house: Path, as_user: Any) -> None:
    (house / "conf" / "grants.toml").write_text("[[grants]]\ngroup = 'operators'\n")
    as_user("ada")
    with pytest.raises(ConfigError, match=r"grants\[0\]\.role is missing"):
        authorize("acme", "run")
    as_user("ada", "wrong")
    with pytest.raises(AccessDenied):
        authorize("acme", "run")
    assert [line["allowed"] for line in _trail()] == [False, False]


def test_a_grant_taken_away_counts_at_once(house: Path, as_user: Any) -> None:
    as_user("ada")
    authorize("acme", "run")
    (house / "conf" / "grants.toml").write_text("")
    with pytest.raises(AccessDenied):
        authorize("acme", "run")


def test_a_proof_is_believed_for_this_user_and_password_alone(as_user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = FileDirectory.authenticate

    def counted(self: FileDirectory, user: str, password: str) -> Person:
        asked.append(user)
        return real(self, user, password)

    monkeypatch.setattr(FileDirectory, "authenticate", counted)
    as_user("ada")
    authorize("acme", "run")
    authorize("acme", "run")
    assert asked == ["ada"]
    as_user("vic", "secret of ada")
    with pytest.raises(AccessDenied):
        authorize("acme", "status")
    as_user("ada", "wrong")
    with pytest.raises(AccessDenied):
        authorize("acme", "run")
    assert asked == ["ada", "vic", "ada"]


def test_with_no_caching_the_directory_is_asked_each_time(
    house: Path, as_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDFALL_AUTH__CACHE_SECONDS", "0")
    as_user("ada")
    authorize("acme", "run")
    FileDirectory.of(house / "home").add("ada", "secret of ada", [])
    with pytest.raises(AccessDenied):
        authorize("acme", "run")


def test_the_password_is_told_nowhere(house: Path, as_user: Any) -> None:
    as_user("ada", "s3cret")
    with pytest.raises(AccessDenied) as denied:
        authorize("acme", "run")
    assert "s3cret" not in f"{denied.value!r}{denied.value}{json.dumps(_trail())}"


def test_users_may_ask_about_themselves(as_user: Any) -> None:
    as_user("vic")
    looks, runs = explain("vic", "acme", "status"), explain("vic", "acme", "run")
    assert looks.allowed
    assert looks.reason == "Allowed: group viewers is viewer of every client."
    assert [grant.group for grant in looks.grants] == ["viewers"]
    assert not runs.allowed
    assert runs.reason == "vic is viewer of client acme, which does not allow run: operator does."
    assert [line["action"] for line in _trail()] == ["explain-access"] * 2


def test_an_admin_of_the_client_may_ask_about_others(as_user: Any) -> None:
    as_user("adm")
    assert explain("ada", "acme", "run").feeds == frozenset({"photos", "scans"})
    assert explain("eve", "acme", "run").reason == "No group of eve has a grant on client acme."
    assert explain("nobody", "acme", "run").reason == "There is no user 'nobody'."


@pytest.mark.parametrize(("asker", "client"), [("ada", "acme"), ("vic", "acme"), ("adm", "globex"), ("eve", "acme")])
def test_others_may_not(asker: str, client: str, as_user: Any) -> None:
    as_user(asker)
    with pytest.raises(AccessDenied, match="Ask about yourself"):
        explain("somebody", client, "run")
    assert _trail()[0]["allowed"] is False
