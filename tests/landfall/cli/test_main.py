"""How commands end: exit codes, sentences, no traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conf.errors import LandfallError
from targets.landing import Landing
from targets.runlog import RunLog
from tests.landfall.cli.conftest import Ended

Call = Callable[..., Ended]


def raises(error: BaseException) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


@pytest.mark.parametrize("kind", LandfallError.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_fault_of_ours_is_its_sentence_and_its_code(
    landfall: Call, monkeypatch: pytest.MonkeyPatch, kind: type[LandfallError]
) -> None:
    arguments = ("x.code", "What happened.", "Do this.") if kind.__name__ == "UploadRefused" else ("What happened.",)
    error = kind(*arguments)
    monkeypatch.setattr(Landing, "uploads", raises(error))
    ended = landfall("status", "--client", "demo")
    assert ended.code == kind.exit_code
    assert ended.err == f"{error}\n"


def test_a_full_disk_is_a_sentence(landfall: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Landing, "uploads", raises(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/lake/x")))
    ended = landfall("status", "--client", "demo")
    assert ended.code == 74
    assert ended.err.startswith("/lake/x: No space left on device.")


def test_ctrl_c_is_quiet(landfall: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Landing, "uploads", raises(KeyboardInterrupt()))
    ended = landfall("status", "--client", "demo")
    assert (ended.code, ended.err) == (130, "")


def test_all_mistakes_of_a_client_file_are_told(landfall: Call, house: Path) -> None:
    file = house / "conf" / "clients" / "demo.toml"
    file.write_text(file.read_text().replace('kind = "images"', 'kind = "songs"'))
    ended = landfall("status", "--client", "demo")
    assert ended.code == 78
    assert ended.err.count("kind") == 2


def test_a_sentence_keeps_no_escape_sequence(landfall: Call) -> None:
    ended = landfall("status", "--client", "\x1b[2J")
    assert ended.code in (77, 78)
    assert "\x1b" not in ended.err


def test_a_client_that_is_none_is_denied_before_anything_is_said_of_it(landfall: Call) -> None:
    assert landfall("status", "--client", "unknown").code == 77


@pytest.mark.parametrize("arguments", [["nonsense"], ["status", "--nonsense"], ["drop", "demo"]])
def test_a_wrong_call_ends_with_2(landfall: Call, arguments: list[str]) -> None:
    assert landfall(*arguments).code == 2


def test_without_credentials_it_is_a_denial(landfall: Call, monkeypatch: pytest.MonkeyPatch, house: Path) -> None:
    landfall("status", "--client", "demo")
    environment = {name: value for name, value in os.environ.items() if name != "LANDFALL_USER"}
    command = [sys.executable, "-m", "landfall", "status", "--client", "demo"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert ended.returncode == 77
    assert "LANDFALL_USER is not set" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_reader_that_goes_away_is_no_fault(landfall: Call, house: Path) -> None:
    directory = house / "home" / "logs" / "demo"
    directory.mkdir(parents=True)
    log = RunLog(str(directory / "20260301T100000-abc123.jsonl"))
    for number in range(2000):
        log.info("event " + "x" * 100, number=number)
    landfall("status", "--client", "demo")
    command = f"{sys.executable} -m landfall logs --client demo | head -1"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert "event" in ended.stdout
    assert ended.stderr == ""


@pytest.mark.parametrize("modules", ["pipelines, duckdb", "duckdb, pipelines"])
def test_a_process_that_has_used_duckdb_ends_without_a_word(modules: str) -> None:
    # What is left of DuckDB when Python ends, DuckDB tells the terminal; pipelines leaves garbage where it can.
    program = f"import {modules}; duckdb.connect(':memory:').execute('SELECT 1')"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
