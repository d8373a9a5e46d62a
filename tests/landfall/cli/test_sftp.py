from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from auth.directory.file import FileDirectory
from tests.landfall.cli.conftest import Ended

Call = Callable[..., Ended]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f demo@example.org"
GRANT = '\n[[grants]]\ngroup = "admins"\nrole = "admin"\nclient = "{client}"\nfeeds = "*"\n'


@pytest.fixture(autouse=True)
def _admin(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ada admits client demo, which has a key; rival has none."""
    FileDirectory.of(house / "home").add("ada", "secret of ada", ["admins"])
    grants = house / "conf" / "grants.toml"
    grants.write_text(grants.read_text() + GRANT.format(client="demo"))
    demo = house / "conf" / "clients" / "demo.toml"
    demo.write_text(demo.read_text() + f'\n[sftp]\nkeys = ["{KEY}"]\nfrom = ["192.0.2.0/24", "2001:db8::1"]\n')
    monkeypatch.setenv("LANDFALL_LANDING__ROOT", "/srv/landfall/landing")
    monkeypatch.setenv("LANDFALL_SFTP__DIRECTORY", str(house / "sftp"))


def test_only_clients_that_the_caller_may_admit_are_shown(landfall: Call) -> None:
    ended = landfall("sftp", "config", user="ada")
    assert ended.code == 0, ended.err
    assert "landfall-demo" in ended.out
    assert "rival" not in ended.out
    assert "restrict,from=" in ended.out


@pytest.mark.parametrize("user", ["olga", "vera", "sam", "eve"])
@pytest.mark.parametrize("options", [[], ["--sshd"], ["--client", "demo"], ["--apply"]])
def test_without_the_role_nothing_is_shown(landfall: Call, user: str, options: list[str]) -> None:
    ended = landfall("sftp", "config", *options, user=user)
    assert (ended.code, ended.out) == (77, "")


def test_another_client_is_a_denial(landfall: Call) -> None:
    assert landfall("sftp", "config", "--client", "rival", user="ada").code == 77


def test_the_script_is_sound_shell(landfall: Call) -> None:
    script = landfall("sftp", "config", user="ada").out
    subprocess.run(["/bin/sh", "-n"], input=script, text=True, check=True)
    assert f'restrict,from="192.0.2.0/24,2001:db8::1/128" {KEY}\n' in script


def test_a_client_without_a_key_has_directories_and_no_account(landfall: Call, house: Path) -> None:
    grants = house / "conf" / "grants.toml"
    grants.write_text(grants.read_text() + GRANT.format(client="rival"))
    lines = landfall("sftp", "config", "--client", "rival", user="ada").out.splitlines()
    assert not [line for line in lines if line.startswith(("account landfall-rival", "file root landfall-rival"))]
    assert "directory landfall landfall 2770 /srv/landfall/landing/rival/incoming/photos" in lines


def test_the_configuration_alone(landfall: Call) -> None:
    ended = landfall("sftp", "config", "--sshd", user="ada")
    lines = ended.out.splitlines()
    assert {"AuthenticationMethods publickey", "DisableForwarding yes", "ChrootDirectory %h"} <= set(lines)
    assert not any("demo" in line for line in lines)


def test_idle_sessions_end_if_asked(landfall: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_SFTP__IDLE_SECONDS", "600")
    out = landfall("sftp", "config", "--sshd", user="ada").out
    assert "ChannelTimeout session:*=600\nUnusedConnectionTimeout 600\n" in out


def test_who_is_not_root_makes_nothing(landfall: Call, house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    ended = landfall("sftp", "config", "--apply", user="ada")
    assert (ended.code, ended.out) == (77, "")
    assert "Only root can make accounts" in ended.err
    assert not (house / "sftp").exists()


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("LANDFALL_SFTP__USER", "landfall", "it must hold {client} once"),
        ("LANDFALL_SFTP__USER", "Landfall-{client}", "small letters"),
        ("LANDFALL_SFTP__USER", "{client}; reboot", "it must hold {client} once"),
        ("LANDFALL_SFTP__LISTEN", "localhost", "it must be an address"),
        ("LANDFALL_SFTP__DIRECTORY", "/etc/land fall", "it must be an absolute path of letters"),
        ("LANDFALL_SFTP__DIRECTORY", "", "it must not be empty"),
        ("LANDFALL_SFTP__GROUP", "a b", "it must be a name of a system account"),
    ],
)
def test_settings_that_cannot_be(
    landfall: Call, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)
    ended = landfall("sftp", "config", user="ada")
    assert (ended.code, ended.out) == (78, "")
    assert variable in ended.err
    assert says in ended.err


def test_a_landing_that_no_account_can_have_as_home(landfall: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_LANDING__ROOT", "/srv/$(reboot)")
    ended = landfall("sftp", "config", user="ada")
    assert ended.code == 78
    assert "$(reboot)" not in ended.out


def test_an_account_whose_name_would_be_too_long(landfall: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_SFTP__USER", "an-account-that-is-too-long-f-{client}")
    ended = landfall("sftp", "config", user="ada")
    assert ended.code == 78
    assert "too-long-f-demo" not in ended.out
    assert "more than 32 characters" in ended.err


def test_every_client_is_asked_for_at_the_gate(landfall: Call, house: Path) -> None:
    landfall("sftp", "config", user="ada")
    lines = (house / "home" / "logs" / "audit.jsonl").read_text().splitlines()
    asked = {(entry["client"], entry["action"], entry["allowed"]) for entry in map(json.loads, lines)}
    assert asked == {("demo", "onboard", True), ("rival", "onboard", False)}
