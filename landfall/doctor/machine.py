"""This machine: Python, Java, its clock, and the place where state lies."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from conf.settings import Settings
from landfall.doctor.finding import Finding, well
from landfall.terminal import size

_JAVA = 17
_LEAST_SPACE = 2 << 30
# Receipt dates, leases and certificates go by the clock: one before this version was made is wrong.
_MADE = 1_790_000_000  # seconds since the epoch, 2026-09
_LIBRARIES = ("landfall", "luigi", "pyspark", "pyarrow", "pillow", "duckdb")


def machine(settings: Settings) -> Iterator[Finding]:
    """Versions, clock, state and its space."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES)
    yield well("machine", "versions", f"Python {platform.python_version()}, {versions}")
    if not settings.spark.remote:
        yield _java()
    yield _clock()
    yield from _home(settings.home.absolute())
    yield space("machine", "space for state", settings.home.absolute())


def space(part: str, what: str, path: Path) -> Finding:
    """Free space of the file system that holds the path, or its nearest parent that is there."""
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free
    if free < _LEAST_SPACE:
        return Finding(part, what, "look", f"{size(free)} free at {path}", "Make space before the next large drop.")
    return well(part, what, f"{size(free)} free")


def _java() -> Finding:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else "java"
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        said = ""
    found = re.search(r'version "(\d+)', said)
    if found is None:
        return Finding("machine", "Java", "ill", f"{java} does not run", f"Install Java {_JAVA} (openjdk-17-jre).")
    if int(found[1]) < _JAVA:
        return Finding("machine", "Java", "ill", f"it is Java {found[1]}", f"Spark needs Java {_JAVA} or later.")
    return well("machine", "Java", f"Java {found[1]}")


def _clock() -> Finding:
    now = time.time()
    if now < _MADE:
        return Finding(
            "machine", "clock", "ill", f"it says {time.strftime('%F', time.gmtime(now))}", "Set the clock (NTP)."
        )
    return well("machine", "clock", time.strftime("%FT%TZ", time.gmtime(now)))


def _home(home: Path) -> Iterator[Finding]:
    if not home.is_dir():
        yield Finding("machine", "state", "ill", f"There is no {home}.", "Run landfall init, or set LANDFALL_HOME.")
        return
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & 0o077:
        yield Finding("machine", "state", "look", f"{home} has mode {mode:04o}", f"chmod 700 {home}")
    elif not os.access(home, os.W_OK):
        yield Finding("machine", "state", "ill", f"{home} cannot be written", "Run as the user that owns it.")
    else:
        yield well("machine", "state", str(home))
