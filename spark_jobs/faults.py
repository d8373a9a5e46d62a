"""What Spark throws, as a sentence: its own messages are JVM stack traces."""

from __future__ import annotations

import re

from conf.errors import LandfallError, StorageError

_OURS = re.compile(r"conf\.errors\.(\w+): (.+)")
_FULL = re.compile(r"No space left on device|Disk quota exceeded|ENOSPC|\[Errno 28\]")
_FIX = "Make space on the disk and run again; the work goes on where it stopped."


def translate(error: BaseException, doing: str) -> LandfallError:
    """The fault behind an exception that came out of Spark.

    Args:
        error: what Spark, Py4J or a Python worker raised.
        doing: what was being done, such as ``fetch of drop 1a2b…``.
    """
    if isinstance(error, LandfallError):
        return error
    text = str(error)
    if _FULL.search(text) or _full(error):
        return StorageError(f"The disk is full; the {doing} broke off.", _FIX)
    ours = _OURS.search(text)
    if ours:
        kind = StorageError if ours[1] == "StorageError" else LandfallError
        return kind(f"The {doing} failed: {ours[2].strip()[:500]}")
    if isinstance(error, OSError):
        return StorageError(f"The {doing} failed: {error}.", "See to the disk and run again.")
    first = text.strip().splitlines()[0][:300] if text.strip() else type(error).__name__
    return LandfallError(
        f"The {doing} failed in Spark: {first}", "`landfall logs` shows the whole of it; run again to go on."
    )


def _full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno == 28
