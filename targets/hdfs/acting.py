"""As whom this process speaks to HDFS, where that is said by variables of the environment.

hdfs-native takes its user from the environment whenever it connects, a JVM when it starts. So whoever needs the
variables to say one thing has a turn with them; those who need the same share it.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import threading
from collections.abc import Iterator

from targets.hdfs.place import HdfsPlace

_NAMES = ("HADOOP_USER_NAME", "HADOOP_PROXY_USER")
_changed = threading.Condition()
_wanted: tuple[str, str] | None = None
_turns = 0


@contextlib.contextmanager
def as_caller(place: HdfsPlace) -> Iterator[None]:
    """What hdfs-native does in the block it does as the place's user: with Kerberos by proxy, else by saying so."""
    simple = place.user or place.login or getpass.getuser()
    with _turn(("", place.user) if place.kerberos else (simple, "")):
        yield


@contextlib.contextmanager
def as_parent(place: HdfsPlace) -> Iterator[None]:
    """A JVM that the block starts works as the place's user, as whom it acts by proxy."""
    login = "" if place.kerberos else place.login
    with _turn((login, place.user if place.user != place.login else "")):
        yield


@contextlib.contextmanager
def _turn(said: tuple[str, str]) -> Iterator[None]:
    global _wanted, _turns
    with _changed:
        _changed.wait_for(lambda: _turns == 0 or _wanted == said)
        if _wanted != said:
            _wanted = said
            for name, value in zip(_NAMES, said, strict=True):
                if value:
                    os.environ[name] = value
                else:
                    os.environ.pop(name, None)
        _turns += 1
    try:
        yield
    finally:
        with _changed:
            _turns -= 1
            _changed.notify_all()
