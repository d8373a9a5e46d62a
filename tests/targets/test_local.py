"""The local file system: the contract, and what only a local disk can do."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conf.errors import StorageError
from targets.local import LocalFileSystem
from tests.contracts.filesystem import FileSystemContract
from tests.in_memory import is_in_memory

HOLDER = """
import sys
from targets.local import LocalFileSystem
with LocalFileSystem().lease(sys.argv[1], "holder"):
    print("held", flush=True)
    sys.stdin.read()
"""

WRITER = """
import sys
from targets.local import LocalFileSystem
with LocalFileSystem().writer(sys.argv[1]) as file:
    file.write(b"x" * 100000)
    print("writing", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def fs() -> LocalFileSystem:
    return LocalFileSystem()


@pytest.fixture
def root(tmp_path: Path) -> str:
    (tmp_path / "root").mkdir()
    return str(tmp_path / "root")


class TestLocalFileSystem(FileSystemContract):
    pass


def test_what_is_forgotten_is_not_in_memory(fs: LocalFileSystem, root: str) -> None:
    fs.create(f"{root}/a", b"content")
    assert is_in_memory(f"{root}/a")
    fs.forget(f"{root}/a")
    assert not is_in_memory(f"{root}/a")


def killed(code: str, path: str, while_it_holds: object = None) -> None:
    """Runs code that prints a line and then waits, and kills it by SIGKILL there."""
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        if callable(while_it_holds):
            while_it_holds()
        process.send_signal(signal.SIGKILL)


def test_a_lease_dies_with_its_holder(fs: LocalFileSystem, root: str) -> None:
    seen = []
    killed(HOLDER, f"{root}/lease", lambda: seen.append(fs.lease_holder(f"{root}/lease")))
    assert seen == ["holder"]
    assert fs.lease_holder(f"{root}/lease") is None
    with fs.lease(f"{root}/lease", "next"):
        assert fs.lease_holder(f"{root}/lease") == "next"


def test_a_released_lease_leaves_no_file(fs: LocalFileSystem, root: str) -> None:
    with fs.lease(f"{root}/lease", "me"):
        pass
    assert fs.list(root) == []


def test_what_a_killed_writer_leaves_is_invisible_and_swept(fs: LocalFileSystem, root: str) -> None:
    killed(WRITER, f"{root}/a")
    assert not fs.exists(f"{root}/a")
    assert fs.list(root) == []
    assert len(os.listdir(root)) == 1
    fs.sweep(root)
    assert os.listdir(root) == []


def test_a_full_disk_is_a_sentence_and_leaves_nothing(fs: LocalFileSystem, root: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StorageError, match="run again"):
            fs.create(f"{root}/a", b"x" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)
    assert os.listdir(root) == []


def test_files_and_directories_are_the_owners_alone(fs: LocalFileSystem, root: str) -> None:
    fs.create(f"{root}/a/b", b"")
    assert Path(root, "a").stat().st_mode & 0o777 == 0o700
    assert Path(root, "a/b").stat().st_mode & 0o777 == 0o600


def test_it_travels_to_a_worker(fs: LocalFileSystem) -> None:
    assert pickle.loads(pickle.dumps(fs)) == fs
