"""What Spark throws, as a sentence: its own messages are JVM stack traces."""

from __future__ import annotations

import re
from pathlib import Path

from conf.errors import LandfallError, StorageError

_OURS = re.compile(r"conf\.errors\.(\w+): (.+)")
_FULL = re.compile(
    r"No space left on device|Disk quota exceeded|ENOSPC|\[Errno 28\]"
    r"|max_temp_directory_size"  # DuckDB takes no more than nine tenths of what is free
)
_FIX = "Make space on the disk and run again; the work goes on where it stopped."
_AGAIN = "Run again: the work goes on where it stopped."

# What is found in Spark's messages, the first that fits: what it means, and what to do.
_KNOWN = (
    (
        r"java\.lang\.OutOfMemoryError|Java heap space|GC overhead limit",
        "Spark's memory did not suffice",
        "Raise spark.driver_memory, or spark.executor_memory on a cluster, and run again.",
    ),
    (
        r"Python worker (?:exited unexpectedly|failed to connect back|process .*terminated)|exit code 137|OOMKilled"
        r"|exceeding (?:memory|physical memory) limits",
        "a Python worker died, most likely for want of memory",
        "Lower images.max_pixels or web.buffer_bytes, or raise spark.executor_overhead on a cluster, and run again.",
    ),
    (
        r"Out of Memory Error: ",
        "DuckDB's memory in a worker did not suffice",
        "Report it with the run log; a drop in smaller files may pass.",
    ),
    (
        r"PYTHON_VERSION_MISMATCH|different version: \S+ than that in driver",
        "the executors have another Python than this machine",
        "Name theirs in spark.python, or give them the environment that docs/spark.md describes.",
    ),
    (
        r"ModuleNotFoundError: No module named '(?P<what>[\w.]+)'",
        "a Python worker lacks the library {what}",
        "Give executors the environment that runs Landfall, as docs/spark.md says.",
    ),
    (
        r"All masters are unresponsive|Master removed our application|Failed to connect to master",
        "the Spark master does not answer, or has turned us away",
        f"See to the master that spark.master names. {_AGAIN}",
    ),
    (
        r"StatusCode\.UNAVAILABLE|RETRIES_EXCEEDED|SESSION_NOT_FOUND|SESSION_CHANGED|SESSION_CLOSED|INVALID_HANDLE",
        "the Spark Connect server has gone, or was started anew",
        f"See `landfall spark status` and `landfall spark start`. {_AGAIN}",
    ),
    (
        r"StatusCode\.UNAUTHENTICATED|Invalid authentication token",
        "the Spark Connect server does not take our token",
        "Name the file of its token in spark.remote_token_file.",
    ),
    (
        r"ExecutorLostFailure|executor .* exited|Executor heartbeat timed out|Lost executor|Removed because",
        "executors died, more often than a task is tried",
        f"See their logs at the cluster's own page. {_AGAIN}",
    ),
    (
        r"JAVA_GATEWAY_EXITED|Java gateway process exited",
        "Spark did not start",
        "See logs/spark.log, and whether Java 17 is installed.",
    ),
    (
        r"Answer from Java side is empty|Error while sending or receiving|Connection refused|Connection reset"
        r"|SparkContext was shut down|stopped SparkContext|SparkContext has been shutdown|NoneType.*_jvm",
        "Spark's driver died",
        f"See logs/spark.log for why; was it killed, or short of memory? {_AGAIN}",
    ),
)
# Lines of a trace that say where, and not what.
_WHERE = re.compile(r"^\s*(at |\.\.\. \d+ more|File \"|Traceback |\^|Driver stacktrace|JVM stacktrace|\||$)")
_NO_NEWS = re.compile(r"^(An error occurred while calling|Job aborted due to stage failure|: *$)")
_RAISED = re.compile(
    r"^(?:Caused by: |: )?(?:[\w$]+\.)*(?P<kind>[\w$]*(?:Error|Exception|Exit|Interrupt)): (?P<says>.+)"
)
_STAMP = re.compile(r"^\d\d(?:\d\d)?[/-]\d\d[/-]\d\d[ T]\S+ ")
_MOST = 300
_TAIL_BYTES = 1 << 16


def translate(error: BaseException, doing: str) -> LandfallError:
    """The fault behind an exception that came out of Spark.

    Args:
        error: what Spark, Py4J, gRPC or a Python worker raised.
        doing: what was being done, such as ``fetch of drop 1a2b…``.
    """
    if isinstance(error, LandfallError):
        return error
    text = _text(error)
    if _FULL.search(text) or _full(error):
        return StorageError(f"The disk is full; the {doing} broke off.", _FIX)
    ours = _OURS.search(text)
    if ours:
        kind = StorageError if ours[1] == "StorageError" else LandfallError
        return kind(f"The {doing} failed: {ours[2].strip()[:500]}")
    lake = _of_hdfs(text)
    if lake:
        return StorageError(f"The {doing} failed: {lake[0]}", lake[1])
    for pattern, what, fix in _KNOWN:
        found = re.search(pattern, text)
        if found:
            return LandfallError(f"The {doing} failed: {what.format_map(found.groupdict())}.", fix)
    if isinstance(error, OSError):
        return StorageError(f"The {doing} failed: {error}.", "See to the disk and run again.")
    said = last_meaningful(text) or type(error).__name__
    return LandfallError(
        f"The {doing} failed in Spark: {said}", "`landfall logs` shows the whole of it; run again to go on."
    )


def _of_hdfs(text: str) -> tuple[str, str] | None:
    """What happened and what to do, where Java's HDFS client is who complains."""
    if "hadoop" not in text:
        return None
    from targets.hdfs.sentences import spoken

    return spoken(text)


def last_meaningful(text: str) -> str:
    """The line of a trace that says what happened: the innermost cause, or the last line that is no place in code."""
    lines = [line.strip() for line in text.splitlines() if not _WHERE.match(line)]
    raised = [found for found in map(_RAISED.match, lines) if found and not found["says"].startswith("Traceback (")]
    if raised:
        kind, says = raised[-1]["kind"], raised[-1]["says"].strip()
        return (says if " " in says else f"{kind}: {says}")[:_MOST]
    told = [line for line in lines if not _NO_NEWS.match(line)]
    return (told or lines or [""])[0][:_MOST]


def last_words(log: Path, since: int = 0) -> str:
    """What a JVM said last in its log that means something; empty if nothing.

    Args:
        since: where in the file its own words begin (bytes).
    """
    try:
        with log.open("rb") as file:
            file.seek(max(since, file.seek(0, 2) - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [_STAMP.sub("", line) for line in text.splitlines()]
    wrong = [line for line in lines if line.startswith(("ERROR", "Exception", "Caused by", "Error"))]
    return last_meaningful("\n".join(wrong)) if wrong else ""


def _text(error: BaseException) -> str:
    """All that is known of an error: Connect's put the server's trace beside their message."""
    trace = getattr(error, "_stacktrace", None) or getattr(error, "_desc", None) or ""
    return f"{type(error).__name__}: {error}\n{trace}"


def _full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno == 28
