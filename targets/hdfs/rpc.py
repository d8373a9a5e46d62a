"""HDFS by its own RPC and data transfer, through hdfs-native."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from hdfs_native import Client, FileReader, FileStatus, FileWriter, WriteOptions

from targets.hdfs.acting import as_caller
from targets.hdfs.place import HdfsPlace
from targets.hdfs.transport import Status

_T = TypeVar("_T")
# Whether to ask again is decided in ``faults``; here only the next NameNode of a pair is.
_TRIES = {
    "dfs.client.failover.max.attempts": "4",
    "dfs.client.failover.sleep.base.millis": "100",
    "dfs.client.failover.sleep.max.millis": "1000",
}


class RpcTransport:
    """hdfs-native's client. It knows no time limit, so each call has a thread that may be left behind."""

    def __init__(self, place: HdfsPlace) -> None:
        self._place = place
        self._client = self._connect()

    def status(self, path: str) -> Status:
        return _status(self.run(lambda: self._client.get_file_info(path)))

    def entries(self, path: str) -> list[Status]:
        found = self.run(lambda: list(self._client.list_status(path, False)))
        return [_status(one) for one in found if one.path.rstrip("/") != path]

    def make_directory(self, path: str, mode: int) -> None:
        self.run(lambda: self._client.mkdirs(path, mode, True))

    def rename(self, source: str, goal: str) -> None:
        self.run(lambda: self._client.rename(source, goal, False))

    def delete(self, path: str, recursive: bool) -> None:
        self.run(lambda: self._client.delete(path, recursive))

    def own(self, path: str, owner: str, group: str) -> None:
        self.run(lambda: self._client.set_owner(path, owner or None, group or None))

    def source(self, path: str) -> RpcSource:
        return RpcSource(self, self.run(lambda: self._client.read(path)))

    def sink(self, path: str, mode: int) -> RpcSink:
        options = WriteOptions(permission=mode, overwrite=True, create_parent=True)
        if self._place.replication:
            options.replication = self._place.replication
        return RpcSink(self, self.run(lambda: self._client.create(path, options)))

    def run(self, call: Callable[[], _T]) -> _T:
        """Waits for one call, as the user of this place; TimeoutError if it takes longer than a call may.

        What the server was asked it may still do later: callers rename names that nobody else has.
        """
        answer: Future[_T] = Future()

        def work() -> None:
            try:
                answer.set_result(call())
            except Exception as error:  # noqa: BLE001  # raised again by who waits
                answer.set_exception(error)
            except BaseException as error:  # noqa: BLE001  # a panic of the library's is none
                answer.set_exception(RuntimeError(f"{type(error).__name__}: {error}"))

        with as_caller(self._place):
            threading.Thread(target=work, name="hdfs", daemon=True).start()
            try:
                return answer.result(self._place.timeout)
            except TimeoutError:
                # The connection may be one that will never answer again.
                self._client = self._connect()
                raise

    def _connect(self) -> Client:
        place = self._place
        kerberos: dict[str, str] = {}
        if place.kerberos and place.principal:
            kerberos = {"kerberos_principal": place.principal, "kerberos_keytab": place.keytab}
        with as_caller(place):
            return Client(place.url, {**_TRIES, **dict(place.properties)}, place.conf_dir or None, **kerberos)


class RpcSource:
    """A file being read; its blocks' places were asked for once."""

    def __init__(self, rpc: RpcTransport, file: FileReader) -> None:
        self._rpc = rpc
        self._file = file
        self.size = len(file)

    def read(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        return self._rpc.run(lambda: self._file.read_range(offset, length)) if length > 0 else b""


class RpcSink:
    """A file being written; its bytes are synced to the DataNodes' disks before it is closed."""

    def __init__(self, rpc: RpcTransport, file: FileWriter) -> None:
        self._rpc = rpc
        self._file: FileWriter | None = file
        self._written = 0

    def write(self, data: bytes) -> None:
        file = self._open()
        self._rpc.run(lambda: file.write(data))
        self._written += len(data)

    def close(self) -> None:
        file = self._open()
        if self._written:
            self._rpc.run(file.hsync)
        self._rpc.run(file.close)

    def abandon(self) -> None:
        # Dropped, not closed: the NameNode forgets it with its name.
        if self._file is not None:
            self._file.close = _nothing  # type: ignore[method-assign]
            self._file = None

    def _open(self) -> FileWriter:
        assert self._file is not None
        return self._file


def _nothing() -> None:
    """In place of the close that io.RawIOBase calls when an object goes."""


def _status(found: FileStatus) -> Status:
    name = found.path.rstrip("/").rpartition("/")[2]
    size = 0 if found.isdir else found.length
    mode = found.permission & 0o777
    return Status(name, found.isdir, size, found.modification_time / 1000, found.owner, found.group, mode)
