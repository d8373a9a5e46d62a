"""Connections to an image store's SQLite database: made once, then opened for writing or for reading."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from conf.errors import Damaged, StorageError
from targets.local import LocalFileSystem

_VERSION = 1
# How long a writer waits for the others, who each hold the lock for one batch.
_BUSY_SECONDS = 120
# A picture in base64 has tens of kilobytes: with larger pages there are fewer of them to link and to write.
_PAGE_BYTES = 16384
# KiB, as SQLite wants them: negative. A batch fits in, so that none of it is written before all of it is there; and for
# who only reads, the index of a hundred thousand pictures.
_WRITER_KIB, _READER_KIB = -65536, -16384

_TABLE = """
CREATE TABLE IF NOT EXISTS images (
    id TEXT NOT NULL PRIMARY KEY,
    image TEXT NOT NULL,
    digest TEXT NOT NULL,
    original TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    format TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    source TEXT NOT NULL,
    inserted TEXT NOT NULL,
    client TEXT NOT NULL,
    feed TEXT NOT NULL,
    "drop" TEXT NOT NULL,
    transforms TEXT NOT NULL
) STRICT
"""


def prepare(path: Path) -> None:
    """Makes directory (0700), database (0600) and table, durably, where they are missing."""
    with faults(path):
        LocalFileSystem().make_directory(str(path.parent))
        # Two that make a database at once get 'database is locked', whatever their timeout: one at a time.
        with _alone(path.parent):
            _make_file(path)
            with contextlib.closing(_connect(path, "mode=rw")) as connection:
                if _version(connection, path) != _VERSION:
                    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute(_TABLE)
                    connection.execute(f"PRAGMA user_version = {_VERSION}")
                    connection.execute("COMMIT")


def for_writing(path: Path) -> sqlite3.Connection:
    """A connection that may write; StorageError where nothing was prepared."""
    with faults(path):
        connection = _prepared(path, "mode=rw") if path.exists() else None
        if connection is None:
            raise StorageError(
                f"The image store {path} was never prepared.", "Run the client again: its Store stage makes it."
            )
        # New pages are no part of a rollback journal, so what is only ever added to is written once; a WAL writes it
        # twice. A database that an earlier version made keeps its WAL: nothing is asked of it that waits for readers.
        if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute(f"PRAGMA cache_size = {_WRITER_KIB}")
        # What was answered for must survive a loss of power; some builds of SQLite are not so strict by themselves.
        connection.execute("PRAGMA synchronous = FULL")
        return connection


def for_reading(path: Path) -> sqlite3.Connection | None:
    """A connection that changes nothing; None where nothing was prepared."""
    with faults(path):
        if not path.exists():
            return None
        try:
            # Opened for writing where it may be: what a killed writer left half is taken back by whoever comes next.
            return _querying(_prepared(path, "mode=rw"))
        except sqlite3.OperationalError as error:
            if _code(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR):
                raise
            if _is_left_half(path):
                raise StorageError(
                    f"{path} cannot be read: its last writer was stopped, and {path.parent} is read-only.",
                    "Make the directory writable, or read a copy of all its files.",
                ) from error
        # Even a reader of a WAL database needs its -shm file, which it cannot make where it may not write. Without
        # a -wal file no writer has the database open and all is in it, so it may be read as one that never changes.
        return _prepared(path, "mode=ro&immutable=1")


def _querying(connection: sqlite3.Connection | None) -> sqlite3.Connection | None:
    if connection is not None:
        connection.execute("PRAGMA query_only = ON")
    return connection


def _is_left_half(path: Path) -> bool:
    """Whether a writer is at work, or was stopped at it."""
    beside = (path.with_name(f"{path.name}-{what}") for what in ("journal", "wal"))
    return any(file.exists() and file.stat().st_size for file in beside)


@contextlib.contextmanager
def faults(path: Path) -> Iterator[None]:
    """Turns SQLite's and the system's errors into ours, each with what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _fault(path, error) from error
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}.", "Check the disk and who may use it.") from error


def damaged(path: Path, what: str) -> Damaged:
    """The error of a database that does not hold what was written."""
    return Damaged(
        f"The image store {path} is damaged: {what}.",
        f"Move {path.name} and the files named {path.name}-… away: it is a copy, which `landfall images rebuild` "
        "makes again.",
    )


def _prepared(path: Path, how: str) -> sqlite3.Connection | None:
    connection = _connect(path, how)
    try:
        if _version(connection, path) == _VERSION:
            connection.execute(f"PRAGMA cache_size = {_READER_KIB}")
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


def _connect(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None)


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the table; 0 before there is one."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > _VERSION:
        raise StorageError(
            f"{path} was written by a later version of Landfall.",
            "Use that version, or another directory in images.url.",
        )
    return version


def _make_file(path: Path) -> None:
    # An existing file is not opened: closing it would drop the locks that this process's connections hold on it
    # (sqlite.org/howtocorrupt.html, 2.2).
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _code(error: sqlite3.Error) -> int | None:
    """SQLite's primary result code; None if the error is the module's own."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code if code is None else code & 0xFF


def _fault(path: Path, error: sqlite3.Error) -> Damaged | StorageError:
    code = _code(error)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, None):
        return damaged(path, str(error))
    if code == sqlite3.SQLITE_FULL:
        return StorageError(f"{path} cannot grow: the disk is full.", "Make space, then run again; nothing is lost.")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageError(f"{path} has been locked by another process for {_BUSY_SECONDS} s.", "Run again later.")
    return StorageError(f"{path}: {error}.", "Check the disk and who may use it, then run again; nothing is lost.")
