"""Who asks: from variables, from a terminal, and for how long it is believed."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from auth.directory import Person
from auth.identity import Credentials, Proofs, credentials
from conf.errors import AccessDenied

ASKER = """
import os
from auth.identity import credentials
said, again = credentials(), credentials()
print("said", said.user, said.password == os.environ["EXPECTED"], said == again)
"""


class Counting:
    """A directory that knows everybody by the password ``right``, and counts who asks."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def authenticate(self, user: str, password: str) -> Person:
        self.asked.append(user)
        if password != "right":
            raise AccessDenied("wrong")
        return Person(user, frozenset())

    def find(self, user: str) -> Person | None:
        return None


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.touch(mode=0o600)
    return path


def _said(user: str, file: Path | str) -> Credentials:
    return credentials({"LANDFALL_USER": user, "LANDFALL_PASSWORD_FILE": str(file)})


@pytest.mark.parametrize(
    ("content", "password"),
    [(b"p", "p"), (b"p\n", "p"), (b"p\r\n", "p"), (b"p\n\n", "p\n"), (b" p ", " p "), ("pä\n".encode(), "pä")],
)
def test_the_password_is_the_files_line(content: bytes, password: str, file: Path) -> None:
    file.write_bytes(content)
    assert _said("ada", file) == Credentials("ada", password)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "blank"),
        (b"\n", "blank"),
        (b"  \n", "blank"),
        (b"\xff", "not UTF-8"),
        (b"x" * 4097, "more than 4096 bytes"),
    ],
)
def test_a_file_that_holds_no_password_is_a_denial(content: bytes, told: str, file: Path) -> None:
    file.write_bytes(content)
    with pytest.raises(AccessDenied, match=told):
        _said("ada", file)


def test_a_password_that_others_can_read_is_a_denial_with_what_to_do(file: Path) -> None:
    file.write_text("p")
    file.chmod(0o640)
    with pytest.raises(AccessDenied, match=f"chmod 600 {file}"):
        _said("ada", file)


def test_a_link_to_a_password_is_a_denial(file: Path) -> None:
    file.write_text("p")
    file.with_name("link").symlink_to(file)
    with pytest.raises(AccessDenied, match="link"):
        _said("ada", file.with_name("link"))


@pytest.mark.parametrize("user", ["a\nb", "a\x1b[31m", "a" * 257])
def test_a_name_that_is_none_is_a_denial(user: str, file: Path) -> None:
    file.write_text("p")
    with pytest.raises(AccessDenied, match="no name"):
        _said(user, file)


@pytest.mark.parametrize(("user", "named"), [("", False), ("ada", False), ("", True)])
def test_without_a_terminal_both_variables_are_needed(user: str, named: bool, file: Path) -> None:
    with pytest.raises(AccessDenied, match="Nobody says who asks: LANDFALL_"):
        _said(user, file if named else "")


def test_a_missing_file_is_a_denial(tmp_path: Path) -> None:
    with pytest.raises(AccessDenied, match="no password file"):
        _said("ada", tmp_path / "none")


def test_a_password_is_not_shown() -> None:
    assert "s3cret" not in repr(Credentials("ada", "s3cret"))


@pytest.mark.parametrize("user", ["", "ada"])
def test_a_terminal_is_asked_once_and_shows_no_password(user: str) -> None:
    master, slave = pty.openpty()
    environment = {**os.environ, "LANDFALL_USER": user, "LANDFALL_PASSWORD_FILE": "", "EXPECTED": "s3cret"}
    asker = subprocess.Popen(
        [sys.executable, "-c", ASKER],
        stdin=slave, stdout=subprocess.PIPE, stderr=slave, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    shown = b""
    for question, answer in ((b"User: ", b"ada\n"), (b"Password of ada: ", b"s3cret\n"))[bool(user) :]:
        while question not in shown:
            shown += os.read(master, 1024)
        os.write(master, answer)
    said, _ = asker.communicate()
    os.close(master)
    assert said == b"said ada True True\n"
    assert b"s3cret" not in shown


def test_a_proof_is_kept_no_longer_than_it_may() -> None:
    directory, time = Counting(), [100.0]
    proofs = Proofs(directory, 60, lambda: time[0])
    for time[0], asked in ((100.0, 1), (159.9, 1), (160.0, 2), (219.0, 2), (220.0, 3)):
        proofs.prove(Credentials("ada", "right"))
        assert len(directory.asked) == asked


def test_a_denial_is_not_kept_and_helps_nobody_else() -> None:
    directory = Counting()
    proofs = Proofs(directory, 60)
    proofs.prove(Credentials("ada", "right"))
    for said in (Credentials("ada", "wrong"), Credentials("ada", "wrong"), Credentials("adar", "ight")):
        with pytest.raises(AccessDenied):
            proofs.prove(said)
    assert directory.asked == ["ada", "ada", "ada", "adar"]


def test_what_is_kept_is_no_password() -> None:
    proofs = Proofs(Counting(), 60)
    proofs.prove(Credentials("ada", "right"))
    assert "right" not in repr(vars(proofs))
