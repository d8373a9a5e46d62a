"""What would become of each line of a file of records: Land's index and Validate's code, in a directory that goes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import duckdb

from conf.feeds import RecordsFeed
from conf.sections import Spark
from conf.settings import Settings
from landfall.checking import Checking, Line
from pipelines.land import bytes_of, unpack
from spark_jobs.records import validate_records
from spark_jobs.schemas import PROFILE
from spark_jobs.session import begin, is_little, session
from targets.clock import now
from targets.local import LocalFileSystem
from targets.register import Drop

_BATCH = 1000
_LINES = """
SELECT entry, line, 'ok' AS rule, NULL AS messages FROM read_parquet('{goal}/records/*.parquet')
UNION ALL
SELECT entry, line, rule, list_transform(faults, lambda one: one.message) FROM read_parquet('{goal}/settled/*.parquet')
ORDER BY entry, line
"""


class CheckingRecords(Checking):
    """Takes a file of records apart, with Spark in this process. Earlier drops are not looked at.

    Attributes:
        profile: what the values of each column are like (``profile.json``), once ``lines()`` has begun.
    """

    accepted = "accepted"

    def __init__(self, settings: Settings, client: str, feed: str, config: RecordsFeed, path: Path) -> None:
        super().__init__(settings, path)
        size = path.stat().st_size if path.exists() else 0
        self._drop = Drop("0" * 64, client, feed, path.name, "", size, now(), config)

    def _lines(self, file: BinaryIO) -> Iterator[Line]:
        with tempfile.TemporaryDirectory(prefix="landfall-check-") as place:
            fs = LocalFileSystem()
            # The file lies on this machine: so does Spark, wherever runs have theirs.
            here = self._settings.model_copy(update={"spark": Spark()})
            begin(here, self._drop.size)
            index = unpack(file, self._drop.config, self._settings, fs, place)
            self.files, self.blank = len(index.entries), index.blanks
            goal = f"{place}/goal"
            little = is_little(sum(entry.bytes for entry in index.entries), index.lines)
            validate_records(session(here, little), fs, index, bytes_of(index, place), goal, self._drop, self._settings)
            self.profile = json.loads(fs.read(f"{goal}/{PROFILE}"))
            with duckdb.connect(":memory:") as database:
                cursor = database.execute(_LINES.format(goal=goal))
                while rows := cursor.fetchmany(_BATCH):
                    for entry, line, rule, messages in rows:
                        yield Line(entry, line, rule, " ".join(messages or ()), None)
