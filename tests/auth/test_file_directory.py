"""The directory in a file: the contract, and what concerns the file."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auth.directory.file import FileDirectory
from conf.errors import AccessDenied, ConfigError, StorageError
from tests.contracts.directory import PEOPLE, DirectoryContract

ADDER = """
import sys
from pathlib import Path
from auth.directory.file import FileDirectory
FileDirectory(Path(sys.argv[1])).add(sys.argv[2], "password", [])
"""


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file with the people of the contract; made once, for scrypt takes its time."""
    made = FileDirectory(tmp_path_factory.mktemp("people") / "directory.json")
    for user, (password, groups) in PEOPLE.items():
        made.add(user, password, groups)
    return made.path.read_bytes()


@pytest.fixture
def directory(content: bytes, tmp_path: Path) -> FileDirectory:
    path = tmp_path / "directory.json"
    path.touch(mode=0o600)
    path.write_bytes(content)
    return FileDirectory(path)


class TestFileDirectory(DirectoryContract):
    @pytest.fixture
    def unreachable(self, tmp_path: Path) -> FileDirectory:
        return FileDirectory(tmp_path / "none" / "directory.json")

    @pytest.fixture
    def forget(self, directory: FileDirectory) -> Callable[[str], None]:
        return directory.remove


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o606, 0o777])
def test_a_file_that_others_can_reach_is_refused_with_what_to_do(directory: FileDirectory, mode: int) -> None:
    directory.path.chmod(mode)
    with pytest.raises(AccessDenied, match=f"chmod 600 {directory.path}"):
        directory.authenticate("ada", "correct horse")


def test_a_link_in_place_of_the_file_is_refused(directory: FileDirectory) -> None:
    directory.path.rename(directory.path.with_name("other"))
    directory.path.symlink_to(directory.path.with_name("other"))
    with pytest.raises(AccessDenied, match="link"):
        directory.authenticate("ada", "correct horse")


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[]", b'{"users": {"ada": {}}}', b'{"scheme": "plain"}'])
def test_a_damaged_file_denies_and_says_so(directory: FileDirectory, data: bytes) -> None:
    directory.path.write_bytes(data)
    with pytest.raises(AccessDenied, match=r"cannot be reached: .* is damaged"):
        directory.authenticate("ada", "correct horse")


def test_the_file_is_private_and_holds_no_password(tmp_path: Path) -> None:
    directory = FileDirectory.of(tmp_path / "home")
    directory.add("ada", "correct horse", ["g"])
    assert directory.path.stat().st_mode & 0o777 == 0o600
    assert b"correct" not in directory.path.read_bytes()


def test_equal_passwords_are_salted_apart(tmp_path: Path) -> None:
    directory = FileDirectory.of(tmp_path)
    directory.add("ada", "same", [])
    directory.add("bob", "same", [])
    users = json.loads(directory.path.read_bytes())["users"]
    assert users["ada"]["salt"] != users["bob"]["salt"]
    assert users["ada"]["hash"] != users["bob"]["hash"]


def test_adding_a_user_again_gives_a_new_password_and_new_groups(directory: FileDirectory) -> None:
    directory.add("ada", "battery staple", ["other"])
    assert directory.authenticate("ada", "battery staple").groups == {"other"}
    with pytest.raises(AccessDenied):
        directory.authenticate("ada", "correct horse")
    assert directory.find("bob") is not None


@pytest.mark.parametrize(
    ("user", "password"), [("", "p"), (" ", "p"), ("a\nb", "p"), ("a" * 257, "p"), ("a", ""), ("a", " ")]
)
def test_a_blank_name_or_password_is_not_added(directory: FileDirectory, user: str, password: str) -> None:
    before = directory.path.read_bytes()
    with pytest.raises(ConfigError, match="cannot be added"):
        directory.add(user, password, [])
    assert directory.path.read_bytes() == before


def test_an_unknown_user_costs_the_same_scrypt_as_a_known_one(
    directory: FileDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs: list[dict[str, Any]] = []
    real = hashlib.scrypt

    def counted(password: bytes, **parameters: Any) -> bytes:
        costs.append({**parameters, "salt": len(parameters["salt"])})
        return real(password, **parameters)

    monkeypatch.setattr("auth.directory.file.hashlib.scrypt", counted)
    for user in ("ada", "nobody"):
        with pytest.raises(AccessDenied):
            directory.authenticate(user, "wrong")

    assert len(costs) == 2
    assert costs[0] == costs[1]


def test_users_added_at_once_by_many_processes_are_all_there(tmp_path: Path) -> None:
    directory = FileDirectory.of(tmp_path / "home")
    names = [f"user{number}" for number in range(4)]
    adders = [subprocess.Popen([sys.executable, "-c", ADDER, str(directory.path), name]) for name in names]
    assert [adder.wait() for adder in adders] == [0] * len(adders)
    assert all(directory.find(name) for name in names)
    assert sorted(path.name for path in directory.path.parent.iterdir()) == [".directory.json.lock", "directory.json"]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        FileDirectory.of(tmp_path / "home").add("ada", "p", [])
