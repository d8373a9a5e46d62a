"""The file of rejected rows: the client's own columns, and what is wrong with each; mended, it is dropped again."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa

from conf.rules import rule
from spark_jobs.duck import database
from spark_jobs.fields import column_names
from spark_jobs.files import paths, reader
from spark_jobs.index import Index
from spark_jobs.records.shape import SETTLED
from spark_jobs.rejects import ADDED, encode
from spark_jobs.star.inputs import LoadInputs
from spark_jobs.star.records import RecordInputs
from targets.filesystem import FileSystem
from targets.register import Drop

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A file in which every line names other columns would have as many columns as rows; the rarest stay out.
_MOST_COLUMNS = 1000
# Rows of a batch: each holds all that a client sent.
_BATCH_ROWS = 1_000
_SAID = ("rule", "message", "fix")
_READ = pa.schema([SETTLED.field(name) for name in ("entry", "line", "outcome", "rule", "message", "fields", "faults")])
_NAMES = """
    SELECT name FROM (SELECT unnest(map_keys(fields)) AS name FROM settled WHERE outcome = 'quarantined')
    GROUP BY name ORDER BY count(*) DESC, name LIMIT $most"""
_IN_ORDER = "SELECT * FROM settled WHERE outcome = 'quarantined' ORDER BY entry, line"
# Several faults of one row stand in one cell.
_BETWEEN = "; "


@dataclass(frozen=True)
class Rejected:
    """The quarantined lines of a drop.

    Attributes:
        drop: whose lines these are.
        settled: paths of the tables of settled lines: entry, line, outcome, rule, message, fields and, where a line may
            have several, faults.
        columns: the client's own columns in their order; others that the fields name follow.
        several: whether the drop is an archive of several entries, so that ``_line`` says which.
        is_main: which of the names mean the column that holds a line which could not be taken apart; such a name is
            among the columns.
    """

    fs: FileSystem
    drop: Drop
    settled: Sequence[str]
    columns: Sequence[str]
    several: bool
    is_main: Callable[[str], bool]

    @classmethod
    def of_images(cls, inputs: LoadInputs, several: bool, header: Sequence[str]) -> Rejected:
        """Those of a catalogue; one of its columns is the URL's.

        Args:
            header: the client's own columns (``header_of``).
        """
        columns = header if any(map(_is_url, header)) else ["url", *header]
        return cls(inputs.fs, inputs.drop, inputs.settled, columns, several, _is_url)

    @classmethod
    def of_records(cls, inputs: RecordInputs, several: bool, header: Sequence[str]) -> Rejected:
        """Those of a drop of records; a row with several faults names all of them.

        Args:
            header: the client's own columns (``header_of``), none where no file has a header.
        """
        columns = header or [column.attribute for column in inputs.drop.records.read]
        return cls(inputs.fs, inputs.drop, [inputs.settled], columns, several, lambda name: name == columns[0])

    def write(self, file: BinaryIO, count: int, directory: str | None = None) -> int:
        """Writes them as CSV (UTF-8, the feed's delimiter), ordered by entry and line.

        Cells stand as ``fields`` carries them: escaped for a spreadsheet already. What is added here, and the names of
        the columns, are escaped here. DuckDB puts the rows in order, on the disk if they are many.

        Args:
            file: takes the bytes.
            count: how many lines are quarantined, as the proof says; for none no table is read.
            directory: on this machine, where rows go meanwhile that do not fit in memory.

        Returns:
            How many rows there are; with none, the file holds the header only.
        """
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, delimiter=self.drop.config.delimiter)
        rows = 0
        if count:
            with database(directory) as connection:
                columns = self._all_columns(connection)
                writer.writerow([*map(encode, columns), *ADDED])
                main = next(number for number, name in enumerate(columns) if self.is_main(name))
                for row in self._in_order(connection):
                    writer.writerow([*self._cells(dict(row["fields"] or ()), columns, main), *self._added(row)])
                    rows += 1
        else:
            writer.writerow([*map(encode, self.columns), *ADDED])
        text.detach()
        return rows

    def _all_columns(self, connection: DuckDBPyConnection) -> list[str]:
        """The client's own columns, then by name at most the 1,000 most frequent of those that only lines name."""
        connection.register("settled", self._reader())
        often = connection.execute(_NAMES, {"most": _MOST_COLUMNS}).fetchall()
        names = {name for (name,) in often if not self.is_main(name)}
        return [*self.columns, *sorted(names.difference(self.columns, ADDED))]

    def _in_order(self, connection: DuckDBPyConnection) -> Iterator[dict[str, Any]]:
        connection.register("settled", self._reader())
        for batch in connection.sql(_IN_ORDER).to_arrow_reader(_BATCH_ROWS):
            yield from batch.to_pylist()

    def _reader(self) -> pa.RecordBatchReader:
        return reader(self.fs, [path for table in self.settled for path in paths(self.fs, table)], _READ, _BATCH_ROWS)

    def _cells(self, fields: Mapping[str, str | None], columns: Sequence[str], main: int) -> list[str]:
        """A line's own cells. The main column's, or a line that could not be taken apart, stands in the first column
        that is a main one (its number), however that is written there.
        """
        cells = [fields.get(name) or "" for name in columns]
        if not cells[main]:
            cells[main] = next((value for name, value in fields.items() if self.is_main(name)), None) or ""
        return cells

    def _added(self, row: Mapping[str, Any]) -> list[str]:
        line = f"{row['entry']}:{row['line']}" if self.several else str(row["line"])
        return [encode(cell) for cell in (line, *_said(row), self.drop.id)]


def _said(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Rule, message and fix of a line; of one with several faults those of all."""
    faults = row["faults"] or ()
    if len(faults) < 2:
        # A feed's own rules have no other words; of the house's a fault says the same.
        return row["rule"], row["message"], rule(row["rule"]).fix
    rules, messages, fixes = ([one[name] for one in faults if one[name] is not None] for name in _SAID)
    return _BETWEEN.join(rules), " ".join(messages), " ".join(dict.fromkeys(fixes))


def header_of(index: Index) -> list[str]:
    """The client's own columns in the order in which they came; none where no file has a header."""
    columns = [name for entry in index.entries for name in column_names(entry) if name not in ADDED]
    return list(dict.fromkeys(columns))


def _is_url(name: str) -> bool:
    """Whether Validate takes the column for the URL's."""
    return name.strip().lower() == "url"
