"""What tests of the jobs share."""

from __future__ import annotations

from pathlib import Path

import pytest

from conf.settings import Settings
from spark_jobs.store import Destination
from targets.runlog import RunLog


@pytest.fixture
def destination(tmp_path: Path) -> Destination:
    """An image store of its own, not yet made ready."""
    log = RunLog(str(tmp_path / "run.jsonl"))
    return Destination(Settings(env="test", home=tmp_path / "home"), "demo", "photos", "d" * 64, ("grayscale",), log)
