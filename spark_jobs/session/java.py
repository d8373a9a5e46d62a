"""How a driver's JVM is soon done: classes come from an archive, short work is compiled quickly, pauses may be."""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
from pathlib import Path

# Bytes that clients have uploaded, up to which the first compiler alone has a run done sooner: a million lines of
# records (90 MB), of which the JVM has most to do, take as long either way.
SHORT = 256 << 20
# C1 alone: the second compiler's work pays back after minutes only, and takes cores from the Python workers meanwhile.
_QUICK, _SERIAL = "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"
# Longer pauses than the usual collector's, which nobody waits for, and less work.
_PARALLEL = "-XX:+UseParallelGC"
_COLLECTOR = re.compile(r"-XX:\+Use\w+GC\b")
# Where Java, and Spark's scripts, find options that are on no command line.
_VARIABLES = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "SPARK_SUBMIT_OPTS")
# An archive that does not fit (another Java, other jars) is passed over without a word.
QUIET = ("-Xlog:disable", "-Xlog:all=error:stderr")

# spark-submit first runs a small Java program that puts the command together.
LAUNCHER = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"


def archive() -> Path:
    """Where this environment's archive of Spark's classes is, if it was made (``landfall spark prepare``).

    It is code, so it lies beside the code: whoever may write there may change the code as well.
    """
    return Path(sys.prefix) / "share" / "landfall" / f"spark-{importlib.metadata.version('pyspark')}.jsa"


def options(short: bool, chosen: str = "") -> str:
    """Options of the driver's JVM, as Spark's ``spark.driver.extraJavaOptions`` takes them.

    Args:
        short: whether the work is done before a slow compiler's would pay.
        chosen: an operator's own options, which go before ours.
    """
    archived = archive()
    parts = [_QUICK] if short else []
    elsewhere = (os.environ.get(name, "") for name in _VARIABLES)
    if not any(map(_COLLECTOR.search, (chosen, *elsewhere))):  # Java takes one
        parts.append(_SERIAL if short else _PARALLEL)
    if archived.exists():
        parts += ["-Xshare:auto", *QUIET, _quoted(f"-XX:SharedArchiveFile={archived}")]
    return " ".join([*parts, chosen]).strip()


def making(goal: Path) -> str:
    """Options of a JVM that writes an archive of its classes when it ends."""
    return " ".join([_QUICK, _SERIAL, *QUIET, _quoted(f"-XX:ArchiveClassesAtExit={goal}")])


def _quoted(option: str) -> str:
    """An option that may hold spaces, as Spark takes a line of options apart."""
    escaped = option.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
