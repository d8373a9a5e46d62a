"""A run across midnight, at the end of a month: the receipt date is fixed when the upload is claimed."""

from __future__ import annotations

import subprocess
import sys

from landfall.sample_web import SampleWeb, catalogue
from tests.installation import Installation

# Luigi as its command runs it, on a clock by which midnight passes, half an hour after the start, as Land begins.
DRIVER = """
import sys, time
from datetime import UTC, datetime, timedelta
import targets.clock
began, shown = time.monotonic(), [datetime(2026, 10, 31, 23, 30, tzinfo=UTC)]
targets.clock.now = lambda: shown[-1] + timedelta(seconds=time.monotonic() - began)
from pipelines.land import Land
work = Land.work
def over_midnight(land, place):
    shown.append(datetime(2026, 11, 1, tzinfo=UTC))
    return work(land, place)
Land.work = over_midnight
from luigi.cmdline import luigi_run
luigi_run(sys.argv[2:])
"""


def test_everything_of_a_drop_lies_under_its_receipt_date(installation: Installation, web: SampleWeb) -> None:
    lines = catalogue(web.url, 20, seed=9, faults={})
    installation.upload("a.txt", b"".join(line.content + b"\n" for line in lines))
    ran = subprocess.run(
        [sys.executable, "-c", DRIVER, *installation.luigi_command()],
        env=installation.environment(),
        cwd=installation.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (receipt,) = installation.receipts()
    assert receipt["received"].startswith("2026-10-31T23:3")
    assert receipt["published"].startswith("2026-11-01T00:")
    assert {path.parent.name + path.name for path in installation.lake.rglob("month=*")} == {"year=2026month=10"}
    assert installation.rows("SELECT CAST(date AS VARCHAR) AS date FROM dim_date") == [{"date": "2026-10-31"}]
    assert installation.run().returncode == 0
    assert len(installation.receipts()) == 1
