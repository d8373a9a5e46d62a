"""The image store in SQLite: the contract, and what only a file can do."""

from __future__ import annotations

import os
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from stat import S_IMODE
from threading import Barrier

import pytest

from conf.errors import Damaged, StorageError
from conf.settings import Settings
from targets.image_store import Inserted, connections, open_store
from targets.image_store.sqlite import SqliteImageStore
from tests.contracts.image_store import ImageStoreContract, document, documents, insert, prepare, process

NOBODY = 65534


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(env="test", home=tmp_path / "of # 100% ?mode=rwc")


@pytest.fixture
def file(settings: Settings) -> Path:
    return settings.store_root / "demo" / "images.sqlite"


class TestSqliteImageStore(ImageStoreContract):
    pass


def beside(file: Path) -> dict[str, int]:
    """The database's files and their modes."""
    return {found.name: S_IMODE(found.stat().st_mode) for found in file.parent.iterdir()}


def test_the_files_are_their_owners_alone(settings: Settings, file: Path) -> None:
    before = os.umask(0)
    try:
        prepare(settings)
        with open_store(settings, "demo") as store:
            store.insert(documents(1))
            assert beside(file) == dict.fromkeys(("images.sqlite", "images.sqlite-journal"), 0o600)
    finally:
        os.umask(before)
    assert S_IMODE(file.parent.stat().st_mode) == 0o700
    assert S_IMODE(file.parent.parent.stat().st_mode) == 0o700


def test_all_that_is_there_is_said_to_be(settings: Settings) -> None:
    prepare(settings)
    with open_store(settings, "demo") as store:
        store.insert(documents(*range(5)))
        assert store.present([document(number).id for number in range(3, 9)]) == {document(3).id, document(4).id}
        store.insert(documents(*range(5, 700)))
        assert store.present([document(number).id for number in range(1000)]) == {
            one.id for one in documents(*range(700))
        }


def test_a_reader_makes_no_database(settings: Settings, file: Path) -> None:
    with open_store(settings, "demo") as store:
        assert store.count() == 0
        with pytest.raises(StorageError):
            store.insert(documents(1))
    assert not settings.home.exists()


def test_a_reader_can_change_nothing(settings: Settings, file: Path) -> None:
    prepare(settings)
    reader = connections.for_reading(file)
    assert reader
    with closing(reader), pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM images")


def test_many_prepare_a_store_at_once(tmp_path: Path) -> None:
    start = Barrier(4)

    def attempt(path: Path) -> None:
        start.wait()
        connections.prepare(path)

    with ThreadPoolExecutor(4) as pool:
        for number in range(30):
            path = tmp_path / str(number) / "images.sqlite"
            list(pool.map(attempt, [path] * 4))
            reader = connections.for_reading(path)
            assert reader
            with closing(reader):
                assert reader.execute("SELECT count(*) FROM images").fetchone() == (0,)


def test_a_database_whose_making_was_cut_short_is_made_again(settings: Settings, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.touch()
    with open_store(settings, "demo") as store:
        assert store.count() == 0
        with pytest.raises(StorageError, match="never prepared"):
            store.insert(documents(1))
    prepare(settings)
    assert insert(settings, [1]) == Inserted(new=1, present=0)


def test_it_syncs_what_it_writes_and_its_types_are_strict(settings: Settings, file: Path) -> None:
    prepare(settings)
    with closing(connections.for_writing(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("truncate",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("SELECT strict FROM pragma_table_list WHERE name = 'images'").fetchone() == (1,)


def killed_before_commit(settings: Settings, told: Connection) -> None:
    store = SqliteImageStore(settings.store_root / "demo" / "images.sqlite", "demo")
    store.insert(documents(1))

    def kill(statement: str) -> None:
        if statement == "COMMIT":
            os.kill(os.getpid(), signal.SIGKILL)

    assert store._writer
    # So little memory that the batch is in the database before it is committed.
    store._writer.execute("PRAGMA cache_size = 10")
    store._writer.set_trace_callback(kill)
    store.insert(documents(*range(2, 200)))
    told.send("committed")


def test_a_writer_killed_within_a_batch_leaves_nothing_of_it(settings: Settings, file: Path) -> None:
    prepare(settings)
    with process(killed_before_commit, settings) as (writer, ear):
        with pytest.raises(EOFError):
            ear.recv()
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
    assert file.stat().st_size > 500_000
    assert file.with_name("images.sqlite-journal").stat().st_size
    with open_store(settings, "demo") as store:
        assert list(store.ids()) == [document(1).id]
        assert store.insert(documents(*range(200))) == Inserted(new=199, present=1)


def test_what_a_killed_writer_left_is_taken_back_by_a_reader_that_had_it_open(settings: Settings, file: Path) -> None:
    prepare(settings)
    insert(settings, [1])
    with open_store(settings, "demo") as store:
        assert store.count() == 1
        with process(killed_before_commit, settings) as (writer, _ear):
            writer.join()
        assert file.with_name("images.sqlite-journal").stat().st_size
        assert list(store.get_many([document(1).id, document(2).id])) == documents(1)
    assert not file.with_name("images.sqlite-journal").exists()


def test_a_wal_database_of_an_earlier_version_is_read_and_written_as_it_is(settings: Settings, file: Path) -> None:
    prepare(settings)
    sql("PRAGMA journal_mode = WAL")(file)
    prepare(settings)
    with open_store(settings, "demo") as store:
        store.insert(documents(1))
        assert list(beside(file)).count("images.sqlite-wal") == 1
        assert store.count() == 1
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_full_disk_is_a_sentence_and_leaves_nothing_of_the_batch(settings: Settings, file: Path) -> None:
    prepare(settings)
    with closing(SqliteImageStore(file, "demo")) as store:
        store.insert(documents(1))
        assert store._writer
        pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
        store._writer.execute(f"PRAGMA max_page_count = {pages + 20}")
        with pytest.raises(StorageError, match=r"the disk is full\. Make space"):
            store.insert(documents(*range(2, 200)))
        assert list(store.ids()) == [document(1).id]
        store._writer.execute("PRAGMA max_page_count = 1000000")
        assert store.insert(documents(*range(2, 200))).new == 198


def test_a_lock_that_is_not_given_up_is_a_sentence(
    settings: Settings, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(settings)
    monkeypatch.setattr(connections, "_BUSY_SECONDS", 0)
    with closing(sqlite3.connect(file, isolation_level=None)) as other, open_store(settings, "demo") as store:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="locked by another process"):
            store.insert(documents(1))
        assert store.count() == 0
        other.execute("ROLLBACK")
        assert store.insert(documents(1)).new == 1


def no_database(file: Path) -> None:
    file.write_bytes(b"not a database " * 1000)


def truncated(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def overwritten(file: Path) -> None:
    with file.open("r+b") as open_:
        open_.seek(4096)
        open_.write(b"\xa5" * (file.stat().st_size - 4096))


def sql(statement: str) -> Callable[[Path], None]:
    def run(file: Path) -> None:
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute(statement)

    return run


DAMAGE = {
    "no database": no_database,
    "truncated": truncated,
    "overwritten": overwritten,
    "no date": sql("UPDATE images SET inserted = 'yesterday'"),
    "no names": sql("UPDATE images SET transforms = '7'"),
    "no text": sql("UPDATE images SET source = CAST(x'ff' AS TEXT)"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_database_is_a_sentence_that_says_what_to_do(
    settings: Settings, file: Path, damage: Callable[[Path], None]
) -> None:
    prepare(settings)
    insert(settings, range(50))
    damage(file)
    with (
        open_store(settings, "demo") as store,
        pytest.raises(Damaged, match=r"images\.sqlite.*landfall images rebuild"),
    ):
        list(store.get_many([document(number).id for number in range(50)]))


@pytest.mark.parametrize("damage", [no_database, truncated])
def test_a_damaged_database_is_not_written(settings: Settings, file: Path, damage: Callable[[Path], None]) -> None:
    prepare(settings)
    insert(settings, range(50))
    damage(file)
    before = file.read_bytes()
    with pytest.raises(Damaged, match="landfall images rebuild"):
        insert(settings, range(50, 100))
    assert file.read_bytes() == before


def test_a_database_of_a_later_version_is_left_alone(settings: Settings, file: Path) -> None:
    prepare(settings)
    sql("PRAGMA user_version = 2")(file)
    for attempt in (lambda: prepare(settings), lambda: insert(settings, [1]), open_store(settings, "demo").count):
        with pytest.raises(StorageError, match="later version"):
            attempt()


def test_what_is_no_file_is_a_sentence(settings: Settings, file: Path) -> None:
    file.mkdir(parents=True)
    for attempt in (lambda: prepare(settings), lambda: insert(settings, [1]), open_store(settings, "demo").count):
        with pytest.raises(StorageError, match=r"images\.sqlite"):
            attempt()


# Whom permissions bind: root, who may run the tests, is not.
@contextmanager
def bound() -> Iterator[None]:
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def guarded() -> Iterator[tuple[Settings, Path]]:
    """A store of three pictures that belongs to somebody whom permissions bind, and its database."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        settings = Settings(env="test", home=home / "home")
        if not os.geteuid():
            os.chown(home, NOBODY, NOBODY)
        with bound():
            prepare(settings)
            insert(settings, range(3))
            yield settings, settings.store_root / "demo" / "images.sqlite"
            (settings.store_root / "demo").chmod(0o700)


@pytest.mark.parametrize("mode", ["WAL", "TRUNCATE"])
def test_a_read_only_directory_is_read(guarded: tuple[Settings, Path], mode: str) -> None:
    settings, file = guarded
    sql(f"PRAGMA journal_mode = {mode}")(file)
    file.chmod(0o400)
    file.parent.chmod(0o500)
    before = beside(file)
    with open_store(settings, "demo") as store:
        assert store.count() == 3
        assert list(store.get_many([document(2).id])) == documents(2)
        with pytest.raises(StorageError, match="readonly"):
            store.insert(documents(5))
    assert beside(file) == before


def test_a_read_only_directory_is_read_while_a_writer_has_it_open(guarded: tuple[Settings, Path]) -> None:
    settings, file = guarded
    with open_store(settings, "demo") as writer:
        writer.insert(documents(3))
        file.parent.chmod(0o500)
        with open_store(settings, "demo") as store:
            assert store.count() == 4
            writer.insert(documents(4))
            assert store.count() == 5


@pytest.mark.parametrize("mode", ["WAL", "TRUNCATE"])
def test_a_read_only_copy_without_what_was_written_last_is_not_taken_for_whole(
    guarded: tuple[Settings, Path], mode: str
) -> None:
    settings, file = guarded
    sql(f"PRAGMA journal_mode = {mode}")(file)
    left = file.with_name("images.sqlite-wal" if mode == "WAL" else "images.sqlite-journal")
    with closing(connections.for_writing(file)) as writer:
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE images SET image = printf('%.100000c', 'A')")
        content, database = left.read_bytes(), file.read_bytes()
        writer.execute("ROLLBACK" if mode == "TRUNCATE" else "COMMIT")
    left.write_bytes(content)
    if mode == "TRUNCATE":
        file.write_bytes(database)
    file.parent.chmod(0o500)
    with open_store(settings, "demo") as store, pytest.raises(StorageError, match="Make the directory writable"):
        store.count()


def test_what_may_not_be_read_is_a_sentence(guarded: tuple[Settings, Path]) -> None:
    settings, file = guarded
    file.parent.chmod(0)
    for attempt in (lambda: prepare(settings), lambda: insert(settings, [1]), open_store(settings, "demo").count):
        with pytest.raises(StorageError, match="Permission denied"):
            attempt()
