"""What every file system promises (targets/filesystem.py). A subclass gives ``fs`` and an empty ``root``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from conf.errors import AlreadyExists, NotFound
from targets.filesystem import FileSystem, LeaseHeld


class FileSystemContract:
    def test_what_is_created_is_read_back(self, fs: FileSystem, root: str) -> None:
        fs.create(f"{root}/a/b", b"\x00content")
        assert fs.read(f"{root}/a/b") == b"\x00content"
        assert fs.exists(f"{root}/a/b")
        assert fs.exists(f"{root}/a")

    def test_a_name_that_is_not_there(self, fs: FileSystem, root: str) -> None:
        assert not fs.exists(f"{root}/none")
        assert fs.list(f"{root}/none") == []
        assert list(fs.walk(f"{root}/none")) == []
        with pytest.raises(NotFound, match="none"):
            fs.read(f"{root}/none")
        fs.remove(f"{root}/none")

    def test_create_never_replaces(self, fs: FileSystem, root: str) -> None:
        fs.create(f"{root}/a", b"first")
        with pytest.raises(AlreadyExists):
            fs.create(f"{root}/a", b"second")
        assert fs.read(f"{root}/a") == b"first"

    def test_of_many_creators_one_wins(self, fs: FileSystem, root: str) -> None:
        def attempt(number: int) -> bool:
            try:
                fs.create(f"{root}/a", str(number).encode())
            except AlreadyExists:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(attempt, range(8)))
        assert won.count(True) == 1
        assert fs.read(f"{root}/a") == str(won.index(True)).encode()

    def test_a_writer_that_fails_leaves_nothing(self, fs: FileSystem, root: str) -> None:
        with pytest.raises(RuntimeError), fs.writer(f"{root}/a/b") as file:
            file.write(b"half")
            raise RuntimeError
        assert not fs.exists(f"{root}/a/b")
        assert fs.list(f"{root}/a") == []

    def test_a_file_is_not_there_before_it_is_whole(self, fs: FileSystem, root: str) -> None:
        with fs.writer(f"{root}/a") as file:
            file.write(b"half")
            assert not fs.exists(f"{root}/a")
        assert fs.read(f"{root}/a") == b"half"

    def test_open_reads_from_any_offset(self, fs: FileSystem, root: str) -> None:
        fs.create(f"{root}/a", b"0123456789")
        with fs.open(f"{root}/a") as file:
            file.seek(7)
            assert file.read(2) == b"78"

    def test_list_and_walk(self, fs: FileSystem, root: str) -> None:
        fs.create(f"{root}/b/two", b"22")
        fs.create(f"{root}/a", b"1")
        assert [(entry.name, entry.is_directory, entry.bytes) for entry in fs.list(root)] == [
            ("a", False, 1),
            ("b", True, 0),
        ]
        assert [(name, entry.bytes) for name, entry in fs.walk(root)] == [("a", 1), ("b/two", 2)]

    def test_rename_moves_a_directory(self, fs: FileSystem, root: str) -> None:
        fs.create(f"{root}/from/table/part", b"x")
        fs.rename(f"{root}/from", f"{root}/deep/er/to")
        assert fs.read(f"{root}/deep/er/to/table/part") == b"x"
        assert not fs.exists(f"{root}/from")

    def test_rename_refuses_a_name_that_is_taken(self, fs: FileSystem, root: str) -> None:
        fs.create(f"{root}/from/part", b"new")
        fs.create(f"{root}/full/part", b"old")
        fs.make_directory(f"{root}/empty")
        for goal in ("full", "empty"):
            with pytest.raises(AlreadyExists):
                fs.rename(f"{root}/from", f"{root}/{goal}")
        assert fs.read(f"{root}/from/part") == b"new"
        assert fs.read(f"{root}/full/part") == b"old"
        assert fs.list(f"{root}/empty") == []

    def test_rename_of_nothing(self, fs: FileSystem, root: str) -> None:
        with pytest.raises(NotFound):
            fs.rename(f"{root}/none", f"{root}/goal")

    def test_remove_takes_all_below(self, fs: FileSystem, root: str) -> None:
        fs.create(f"{root}/a/b/c", b"")
        fs.remove(f"{root}/a")
        assert not fs.exists(f"{root}/a")

    def test_make_directory_twice(self, fs: FileSystem, root: str) -> None:
        fs.make_directory(f"{root}/a/b")
        fs.make_directory(f"{root}/a/b")
        assert [entry.is_directory for entry in fs.list(f"{root}/a")] == [True]

    def test_sync_of_a_tree(self, fs: FileSystem, root: str) -> None:
        fs.create(f"{root}/a/b/c", b"x")
        fs.sync(f"{root}/a")
        assert fs.read(f"{root}/a/b/c") == b"x"

    def test_what_is_forgotten_is_there(self, fs: FileSystem, root: str) -> None:
        fs.create(f"{root}/a", b"content")
        fs.forget(f"{root}/a")
        assert fs.read(f"{root}/a") == b"content"
        fs.forget(f"{root}/none")

    def test_a_lease_is_held_by_one(self, fs: FileSystem, root: str) -> None:
        with fs.lease(f"{root}/lease", "me"):
            assert fs.lease_holder(f"{root}/lease") == "me"
            with pytest.raises(LeaseHeld) as held, fs.lease(f"{root}/lease", "you"):
                pass
            assert held.value.holder == "me"
        assert fs.lease_holder(f"{root}/lease") is None
        with fs.lease(f"{root}/lease", "you"):
            assert fs.lease_holder(f"{root}/lease") == "you"
