"""Files on HDFS as Python knows them: a seekable reader that outlives a server's absence, and a writer."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from targets.hdfs.faults import fault, patiently
from targets.hdfs.place import HdfsPlace
from targets.hdfs.transport import Sink, Source, transport

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_T = TypeVar("_T")
_READ_AHEAD = {"rpc": 256 << 10, "web": 2 << 20}
_WRITE_BEHIND = 1 << 20


def reader(path: str, place: HdfsPlace) -> BinaryIO:
    """Opens a file; NotFound if it is not there."""
    source = patiently(lambda _: transport(place).source(path), path, place)
    return io.BufferedReader(_Reader(source, path, place), _READ_AHEAD[place.transport])


@contextlib.contextmanager
def writer(path: str, mode: int, place: HdfsPlace) -> Iterator[BinaryIO]:
    """A new file of this very name, which nobody else knows yet. A block that fails leaves a part of it.

    What goes wrong in the middle is not tried again: the bytes are gone by then.
    """
    sink = patiently(lambda _: transport(place).sink(path, mode), path, place)
    file = _Writer(sink, path, place)
    try:
        yield cast(BinaryIO, file)
        file.flush()
        _told(sink.close, path, place)
    except BaseException:
        sink.abandon()
        raise
    finally:
        file.give_up()


class _Reader(io.RawIOBase):
    """Reads at an offset of its own. Where HDFS fails it, it opens the file anew and goes on."""

    def __init__(self, source: Source, path: str, place: HdfsPlace) -> None:
        self._source = source
        self._path = path
        self._place = place
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._source.size}[whence]
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        goal = memoryview(buffer).cast("B")
        data = patiently(lambda tried: self._read(len(goal), tried), self._path, self._place)
        goal[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _read(self, length: int, tried: int) -> bytes:
        if tried:
            self._source = transport(self._place).source(self._path)
        return self._source.read(self._at, length)


class _Writer(io.RawIOBase):
    """Hands bytes on in pieces of a megabyte."""

    def __init__(self, sink: Sink, path: str, place: HdfsPlace) -> None:
        self._sink = sink
        self._path = path
        self._place = place
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer) -> int:
        self._waiting += memoryview(data).cast("B")
        if len(self._waiting) >= _WRITE_BEHIND:
            self._hand_on()
        return memoryview(data).nbytes

    def flush(self) -> None:
        if not self.closed:
            self._hand_on()

    def give_up(self) -> None:
        """Closes it; what still waits goes nowhere."""
        self._waiting.clear()
        self.close()

    def _hand_on(self) -> None:
        if self._waiting:
            piece = bytes(self._waiting)
            self._waiting.clear()
            _told(lambda: self._sink.write(piece), self._path, self._place)


def _told(do: Callable[[], _T], path: str, place: HdfsPlace) -> _T:
    """One try; what goes wrong is one of our errors."""
    try:
        return do()
    except Exception as error:
        raise fault(error, path, place).error from error
