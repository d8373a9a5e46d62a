"""Where Spark's JVM and the Python processes of this machine meet: sockets that are files in a directory of our own.

Through loopback a task of little data waits 40 ms: TCP holds small segments back until those before are acknowledged.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

# What Spark calls a socket below the directory, and what an address of that kind may have (unix(7), with its end).
_NAME = len("/.12345678-1234-1234-1234-123456789abc.sock")
_MOST = 107


def properties() -> dict[str, str]:
    """Properties of a driver that starts; none where there is no temporary directory, or one of too long a name."""
    try:
        place = str(directory())
    except OSError:
        return {}
    if len(place.encode()) + _NAME > _MOST:
        return {}
    return {"spark.python.unix.domain.socket.enabled": "true", "spark.python.unix.domain.socket.dir": place}


@functools.cache
def directory() -> Path:
    """A directory of mode 0700: whoever may connect is not asked for a secret. It goes when this process ends."""
    place = Path(tempfile.mkdtemp(prefix="landfall-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return place
