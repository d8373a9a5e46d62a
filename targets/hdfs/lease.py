"""Leases on HDFS, by names alone: no bytes, so no DataNode has a part in them.

A held lease is a directory with one entry, ``<token>-<number>``, below which stands who holds it. The holder gives a
sign of life by renaming the entry to the next number; one who follows a dead holder renames it to a token of his own.
Both rename the same entry, and of two renames of one entry HDFS lets one succeed: so a holder who was followed
finds his entry gone, and cannot but notice.

Nobody compares clocks of two machines. A holder is taken for dead when, by the NameNode's clock alone, its last sign of
life is older than ``Times.expiry``, and whoever wants to follow has besides looked on for ``Times.watched`` by its own
clock without seeing one (the NameNode was perhaps away, or its clock was set).
"""

from __future__ import annotations

import base64
import contextlib
import re
import threading
import time
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from conf.errors import AlreadyExists, LeaseLost, NotFound, StorageError
from targets.filesystem import LeaseHeld

if TYPE_CHECKING:
    from targets.hdfs.filesystem import HdfsFileSystem

_ENTRY = re.compile(r"(?P<token>[0-9a-f]{32})-(?P<number>[0-9]+)")
_PIECE = 200  # names have at most 255 bytes
_TEMPORARY = ".tmp-"
_GAP = 5.0
_FORGOTTEN = 3600.0
_MOST_TRIES = 100
_LOOKS = 5


class Times(NamedTuple):
    """How long after its last sign of life a holder may be followed (seconds)."""

    expiry: float = 40

    @property
    def between(self) -> float:
        """Time between two signs of life."""
        return self.expiry / 4

    @property
    def watched(self) -> float:
        """For how long whoever wants to follow looks on first."""
        return self.expiry * 3 / 8


class _Sight(NamedTuple):
    """When this process saw an entry first, and last (monotonic seconds)."""

    entry: str
    first: float
    last: float


_seen: dict[str, _Sight] = {}


class Held:
    """A lease that this process holds, unless another has followed it."""

    def __init__(self, fs: HdfsFileSystem, path: str, token: str) -> None:
        self._fs = fs
        self._path = path
        self._token = token
        self._number = 0
        self._lost = False
        self._alone = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, name="lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Gives a sign of life now; LeaseLost if another has followed."""
        self._sign(self._fs)

    def release(self) -> None:
        """Gives the name up; what is another's is left alone."""
        self._over.set()
        self._thread.join()
        entry = None if self._lost else _entry(self._fs, self._path)
        if entry is None or not entry.startswith(self._token):
            return
        aside = f"{self._path.rpartition('/')[0]}/{_TEMPORARY}{self._token}"
        with contextlib.suppress(NotFound):
            self._fs.move(f"{self._path}/{entry}", aside)
            _clear(self._fs, self._path)
            self._fs.remove(aside)

    def _live(self) -> None:
        impatient, wait = self._fs.impatient(), self._fs.leases.between
        while not self._over.wait(wait):
            try:
                self._sign(impatient)
            except LeaseLost:
                return
            except StorageError:
                # HDFS is away. It is asked again soon: whoever wants to follow asks it too.
                wait = min(1.0, self._fs.leases.between)
            else:
                wait = self._fs.leases.between

    def _sign(self, fs: HdfsFileSystem) -> None:
        with self._alone:
            if not self._lost:
                number = self._number + 1
                try:
                    fs.move(f"{self._path}/{self._token}-{self._number}", f"{self._path}/{self._token}-{number}")
                except NotFound:
                    # Followed; or an earlier sign came through, and its answer did not.
                    entry = _entry(fs, self._path) or ""
                    self._lost = not entry.startswith(self._token)
                    number = self._number if self._lost else int(entry.partition("-")[2])
                self._number = number
            if self._lost:
                raise LeaseLost(
                    f"Another run took over {self._path.rpartition('/')[2]} while this one gave no sign of life.",
                    "Nothing of this run was put in place. The other goes on with the work; `landfall status` tells.",
                )


@contextlib.contextmanager
def hold(fs: HdfsFileSystem, path: str, holder: str) -> Iterator[Held]:
    """Holds the name while the block runs; LeaseHeld if another does."""
    held = _acquire(fs, path, holder)
    _seen.pop(path, None)
    try:
        yield held
    finally:
        # What cannot be given up now is followed when it has expired.
        with contextlib.suppress(StorageError):
            held.release()


def holder_of(fs: HdfsFileSystem, path: str) -> str | None:
    """What the holder said of itself, or None if nobody holds the name or its holder gives no sign of life."""
    entry = _entry(fs, path)
    if entry is None:
        return None
    try:
        if _age(fs, path) > fs.leases.expiry:
            return None
    except NotFound:
        return None  # given up meanwhile
    except StorageError:
        pass  # in safe mode nobody can tell
    return _said(fs, path, entry)


def _acquire(fs: HdfsFileSystem, path: str, holder: str) -> Held:
    token = uuid.uuid4().hex
    ours = f"{path.rpartition('/')[0]}/{_TEMPORARY}{token}"
    try:
        for _ in range(_MOST_TRIES):
            entry = _entry(fs, path)
            try:
                if entry is None:
                    _write(fs, f"{ours}/{token}-0", token, holder)
                    fs.move(ours, path)
                    return Held(fs, path, token)
                _wait_for_death(fs, path, entry)
                fs.move(f"{path}/{entry}", f"{path}/{token}-0")
                _write(fs, f"{path}/{token}-0", token, holder)
                return Held(fs, path, token)
            except NotFound:
                continue  # it was renewed, given up or followed while we looked
            except AlreadyExists:
                _clear(fs, path)
        raise StorageError(f"{path} on HDFS holds what is no lease.", "Move it away and run again.")
    finally:
        fs.remove(ours)


def _wait_for_death(fs: HdfsFileSystem, path: str, entry: str) -> None:
    """Returns if the holder is dead; LeaseHeld otherwise. Nobody waits here: whoever wants the lease asks again."""
    now, sight = time.monotonic(), _seen.get(path)
    if sight is None or sight.entry != entry or now - sight.last > max(_GAP, fs.leases.watched / 3):
        sight = _Sight(entry, now, now)
    _seen[path] = sight = sight._replace(last=now)
    watched = now - sight.first
    if watched < fs.leases.watched and watched > 0:
        raise LeaseHeld(_said(fs, path, entry))
    age = _age(fs, path)
    if age > _FORGOTTEN or (age > fs.leases.expiry and watched >= fs.leases.watched):
        return
    raise LeaseHeld(_said(fs, path, entry))


def _age(fs: HdfsFileSystem, path: str) -> float:
    """How long ago the holder gave its last sign of life: both times are the NameNode's (seconds)."""
    probe = f"{path.rpartition('/')[0]}/{_TEMPORARY}{uuid.uuid4().hex}"
    fs.make_directory(probe)
    try:
        return fs.status(probe).modified - fs.status(path).modified
    finally:
        fs.remove(probe)


def _entry(fs: HdfsFileSystem, path: str) -> str | None:
    return next((one.name for one in fs.names(path) if _ENTRY.fullmatch(one.name)), None)


def _clear(fs: HdfsFileSystem, path: str) -> None:
    """Removes the empty directory of a lease that was given up; a full one is somebody's."""
    with contextlib.suppress(AlreadyExists):
        fs.remove_empty(path)


def _write(fs: HdfsFileSystem, entry: str, token: str, holder: str) -> None:
    """Says who holds the lease, in names below the entry: of those who held it before, some may be there still."""
    text = base64.urlsafe_b64encode(holder.encode()).decode().rstrip("=") or "-"
    for number, start in enumerate(range(0, len(text), _PIECE)):
        fs.make_directory(f"{entry}/{token}.{number:02d}.{text[start : start + _PIECE]}")


def _said(fs: HdfsFileSystem, path: str, entry: str) -> str:
    """What the holder of an entry said of itself; nothing if it holds the lease no more."""
    token = entry.partition("-")[0]
    for _ in range(_LOOKS):
        pieces = [one.name.split(".")[2] for one in fs.names(f"{path}/{entry}") if one.name.startswith(f"{token}.")]
        if pieces:
            text = "".join(pieces)
            with contextlib.suppress(ValueError):
                return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode(errors="replace")
            return ""
        # A sign of life renames the entry, perhaps just while its names were asked for.
        entry = _entry(fs, path) or ""
        if not entry.startswith(token):
            break
    return ""
