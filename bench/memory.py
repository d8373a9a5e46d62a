"""Peak memory of a run's whole process tree, for catalogues of growing length.

Usage: ``python -m bench.memory 10000 20000``, from the checkout. Prints a row a catalogue: lines, seconds, and the
largest sum of proportional set sizes (PSS: shared pages are counted once) of Luigi, the JVM and the Python workers.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from landfall.sample_web import SampleWeb, catalogue
from tests.installation import Installation

_SECONDS_BETWEEN_LOOKS = 0.5
_MIB = 1 << 20


def main(counts: list[int]) -> None:
    """Runs one fresh installation a count."""
    print(f"{'lines':>8} {'seconds':>8} {'peak MiB':>9}   of which")
    for lines in counts:
        with tempfile.TemporaryDirectory() as place, SampleWeb(seed=7, process=True) as web:
            seconds, peak, parts = measure(Installation(Path(place) / "installation", web.port).prepare(), web, lines)
        told = ", ".join(f"{name} {size // _MIB}" for name, size in sorted(parts.items()))
        print(f"{lines:>8} {seconds:>8.1f} {peak / _MIB:>9.0f}   {told}", flush=True)


def measure(installation: Installation, web: SampleWeb, lines: int) -> tuple[float, int, dict[str, int]]:
    """As ``watched``, of one run over a catalogue of good lines."""
    made = catalogue(web.url, lines, seed=1, faults={})
    installation.upload("catalogue.txt", b"".join(line.content + b"\n" for line in made))
    return watched(installation)


def watched(
    installation: Installation, environment: Mapping[str, str] | None = None
) -> tuple[float, int, dict[str, int]]:
    """Seconds of a run, and its peak in bytes with its parts by program."""
    began = time.monotonic()
    process = installation.start(environment=environment)
    peak, parts = 0, {}
    while process.poll() is None:
        now = sizes(psutil.Process(process.pid))
        if sum(now.values()) > peak:
            peak, parts = sum(now.values()), now
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    if process.returncode:
        sys.exit(f"luigi ended with {process.returncode}")
    return time.monotonic() - began, peak, parts


@contextlib.contextmanager
def peak() -> Iterator[dict[str, int]]:
    """Watches what this process starts while the block runs; at its end: the peak in bytes, by program."""
    parts: dict[str, int] = {}
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_SECONDS_BETWEEN_LOOKS):
            now: Counter[str] = Counter()
            for child in psutil.Process().children():
                with contextlib.suppress(psutil.NoSuchProcess):
                    now.update(sizes(child))
            if now.total() > sum(parts.values()):
                parts.clear()
                parts.update(now)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield parts
    finally:
        ended.set()
        watcher.join()


def sizes(root: psutil.Process) -> dict[str, int]:
    """Bytes by program of a process tree."""
    found: dict[str, int] = {}
    for one in (root, *root.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if _begins(one):
                continue
            name = "luigi" if one.pid == root.pid else one.name()
            found[name] = found.get(name, 0) + one.memory_full_info().pss
    return found


def _begins(one: psutil.Process) -> bool:
    """Whether a JVM is about to start a program here: until then the process has the JVM's memory, counted already."""
    before = one.parent()
    return before is not None and "java" in Path(one.exe()).name and one.exe() == before.exe()


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or [10_000, 20_000])
