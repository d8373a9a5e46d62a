"""Public keys in clients' files."""

from __future__ import annotations

import base64
import struct
import subprocess
from pathlib import Path

import pytest

from conf.public_keys import KINDS, checked_key


def blob(*parts: bytes) -> str:
    return base64.b64encode(b"".join(struct.pack(">I", len(part)) + part for part in parts)).decode()


GOOD = f"ssh-ed25519 {blob(b'ssh-ed25519', bytes(32))}"


@pytest.mark.parametrize("kind", [("ed25519",), ("rsa", "-b", "2048"), ("ecdsa",)])
def test_keys_as_ssh_keygen_makes_them(tmp_path: Path, kind: tuple[str, ...]) -> None:
    make = ("ssh-keygen", "-q", "-N", "", "-C", "a name", "-f", str(tmp_path / "key"), "-t", *kind)
    subprocess.run(make, check=True)
    line = (tmp_path / "key.pub").read_text().strip()
    assert checked_key(line) == line


def test_spaces_are_made_single() -> None:
    assert checked_key(f"  {GOOD.replace(' ', '   ')}   a name ") == f"{GOOD} a name"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        GOOD[:-8],
        f'command="sh" {GOOD}',
        f"{GOOD}\nssh-ed25519 AAAA",
        f"{GOOD} a\x1bname",
        GOOD.replace("ssh-ed25519 ", "ssh-rsa "),
        f"ssh-dss {blob(b'ssh-dss', b'1', b'2')}",
        f"ssh-rsa {blob(b'ssh-rsa', b'3', bytes([255] * 128))}",
        f"ssh-ed25519 {blob(b'ssh-ed25519')}",
        f"{GOOD} {'x' * 9000}",
    ],
)
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(ValueError, match=r"it must be one line|it says|an RSA key"):
        checked_key(text)


def test_kinds_are_told() -> None:
    with pytest.raises(ValueError, match=KINDS[0]):
        checked_key("ssh-dss AAAA")
