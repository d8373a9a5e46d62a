"""A house with two clients, people who may do more or less, and the command line as a person calls it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from conf.settings import load_settings
from landfall.__main__ import main

CLIENT = """
client = "{client}"
[feeds.photos]
kind = "images"
sources = ["127.0.0.1:8200"]
size = "/(?P<width>\\\\d+)/(?P<height>\\\\d+)$"
[feeds.scans]
kind = "images"
complete = "sidecar"
sources = ["127.0.0.1:8200"]
"""
GRANTS = """
[[grants]]
group = "operators"
role = "operator"
client = "demo"
feeds = "*"
[[grants]]
group = "viewers"
role = "viewer"
client = "demo"
feeds = "*"
[[grants]]
group = "scanners"
role = "viewer"
client = "demo"
feeds = ["scans"]
"""


@pytest.fixture(autouse=True)
def house(people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home").mkdir()
    shutil.copy2(people, tmp_path / "home" / "directory.json")
    clients = tmp_path / "conf" / "clients"
    clients.mkdir(parents=True)
    for client in ("demo", "rival"):
        (clients / f"{client}.toml").write_text(CLIENT.format(client=client))
    (tmp_path / "conf" / "test.toml").touch()
    (tmp_path / "conf" / "grants.toml").write_text(GRANTS)
    monkeypatch.setenv("LANDFALL_CONF", str(tmp_path / "conf"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def landfall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """``landfall("status", "--json", user="vera")``."""

    def call(*arguments: object, user: str = "olga") -> Ended:
        password = tmp_path / f"password-{user}"
        password.write_text(f"secret of {user}\n")
        password.chmod(0o600)
        monkeypatch.setenv("LANDFALL_USER", user)
        monkeypatch.setenv("LANDFALL_PASSWORD_FILE", str(password))
        monkeypatch.setattr(sys, "argv", ["landfall", *map(str, arguments)])
        load_settings.cache_clear()
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        assert isinstance(code, int)
        return Ended(code, *capsys.readouterr())

    return call
