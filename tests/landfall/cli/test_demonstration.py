"""The parts of the demo that need no Spark; the whole is run from end to end elsewhere."""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conf.errors import ConfigError, LandfallError
from landfall import demonstration
from landfall.commands.demo import _show_next
from landfall.history import Event
from landfall.home import Home


@pytest.fixture
def home(house: Path) -> Home:
    path = house / "home"
    return Home(path, house / "conf", (), path / "demo.env", ("demo",))


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of 127.0.0.1 on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_the_catalogue_is_always_the_same_and_has_about_ten_faults(home: Home) -> None:
    first, meant = demonstration.write_catalogue(home.path)
    before = first.read_bytes()
    assert demonstration.write_catalogue(home.path).file.read_bytes() == before
    assert meant == {"ok": 188, "quarantined": 10, "duplicate": 2}
    assert before.count(b"\n") == demonstration.LINES
    assert before.count(b"fault=") >= 5
    assert stat.S_IMODE(first.parent.stat().st_mode) == 0o700


def test_a_port_that_is_taken_is_a_sentence(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    monkeypatch.setattr(demonstration, "PORT", taken)
    with pytest.raises(ConfigError, match=f"{taken}: something else listens"), demonstration.sample_web():
        raise AssertionError("not to be reached")


def test_the_web_is_stopped_whatever_happens(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    monkeypatch.setattr(demonstration, "PORT", 0)
    with pytest.raises(RuntimeError), demonstration.sample_web() as web:
        port = web.port
        socket.create_connection(("127.0.0.1", port)).close()
        raise RuntimeError
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_run_that_fails_is_a_fault_and_luigis_words_are_kept(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    (home.path / "demo").mkdir()
    fake = home.path / "luigi.sh"
    fake.write_text("#!/bin/sh\necho what went wrong; exit 30\n")
    fake.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(fake))
    with pytest.raises(LandfallError, match=r"luigi ended with 30.*luigi\.log"):
        demonstration.run_client(home)
    assert (home.path / "demo" / "luigi.log").read_text() == "what went wrong\n"


def test_a_run_that_is_left_ends_with_all_that_it_started(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    (home.path / "demo").mkdir()
    os.mkfifo(home.path / "child")
    fake = home.path / "luigi.sh"
    # The child holds the pipe open as long as it lives.
    fake.write_text(f"#!/bin/sh\nsleep 1000 3>{home.path}/child &\nwait\n")
    fake.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(fake))
    pipes = []

    def interrupted(*_: object, **__: object) -> None:
        pipes.append(os.open(home.path / "child", os.O_RDONLY))  # returns when the child has begun
        raise KeyboardInterrupt

    monkeypatch.setattr(demonstration, "follow", interrupted)
    with pytest.raises(KeyboardInterrupt):
        demonstration.run_client(home)
    (pipe,) = pipes
    assert os.read(pipe, 1) == b""  # returns when the child has ended
    os.close(pipe)


@pytest.mark.parametrize(
    ("event", "stage", "fields", "says"),
    [
        ("3 pictures done", "fetch", {}, "fetch      3 pictures done"),
        ("attempt failed", "fetch", {"error": "The disk is full."}, "fetch      The disk is full."),
        ("attempt started", "fetch", {}, ""),
        ("shard fetched", "fetch", {"shard": "part-0"}, ""),
        ("upload claimed", "", {}, ""),
    ],
)
def test_stages_speak_and_failures_are_told_while_it_runs(
    event: str, stage: str, fields: dict[str, str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    demonstration._show_event(Event("2026-03-01T10:00:00", "info", event, {"stage": stage}, fields), 1.0)
    assert capsys.readouterr().out == (f"    1.0 s  {says}\n" if says else "")


@pytest.mark.parametrize("found", [True, False])
def test_what_to_do_next_works_in_the_shell_that_made_the_demo(
    found: bool, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a venv/bin").mkdir(parents=True)
    (tmp_path / "a venv/bin/activate").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.prefix", str(tmp_path / "a venv"))
    monkeypatch.setattr("shutil.which", lambda _: "landfall" if found else None)
    _show_next(str(home.environment))
    assert ("  . 'a venv/bin/activate'" in capsys.readouterr().out.splitlines()) is not found


def test_the_demo_is_refused_in_prod(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setattr(demonstration, "make_home", lambda: Home(home.path, home.conf, (), None, ()))
    with pytest.raises(ConfigError, match="dev and test only"):
        demonstration.prepare()


def test_the_demo_is_its_operator(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    assert home.environment is not None
    home.environment.write_text("LANDFALL_USER='demo operator'\n")
    monkeypatch.setattr(demonstration, "make_home", lambda: home)
    monkeypatch.setenv("LANDFALL_USER", "somebody")
    demonstration.prepare()
    assert os.environ["LANDFALL_USER"] == "demo operator"


@pytest.mark.parametrize("ok", [188, 187])
def test_a_receipt_that_is_not_what_was_meant_is_a_fault(house: Path, ok: int) -> None:
    file = house / "catalogue.txt.1.receipt.json"
    file.write_text(json.dumps({"status": "published", "summary": "s", "counts": {"ok": ok}, "rejects": None}))
    if ok == 188:
        demonstration.show_receipt(file, {"ok": 188})
    else:
        with pytest.raises(LandfallError, match="188 ok"):
            demonstration.show_receipt(file, {"ok": 188})
