"""Threads that ask for the first session of a process at the same time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_ASK = """
import threading
from conf.settings import Settings
from spark_jobs.session import session

settings, ready, found = Settings(env="test", home=%r), threading.Barrier(6), []

def ask():
    ready.wait()
    found.append(session(settings).range(7).count())

threads = [threading.Thread(target=ask) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(found)
"""


@pytest.mark.spark
def test_they_get_one_session(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _ASK % str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout == "[7, 7, 7, 7, 7, 7]\n", done.stderr
