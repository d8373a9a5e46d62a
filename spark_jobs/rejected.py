"""The file of rejected rows: the client's own columns, and what is wrong with each; mended, it is dropped again."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from conf.rules import rule
from spark_jobs.fields import column_names
from spark_jobs.index import Index
from spark_jobs.rejects import ADDED, encode
from spark_jobs.star.inputs import LoadInputs
from spark_jobs.star.records import RecordInputs
from targets.register import Drop

# A file in which every line names other columns would have as many columns as rows; the rarest stay out.
_MOST_COLUMNS = 1000
_PART_ROWS = 20_000
_PART_BYTES = 16 << 20
# Several faults of one row stand in one cell.
_BETWEEN = "; "


@dataclass(frozen=True)
class Rejected:
    """The quarantined lines of a drop.

    Attributes:
        drop: whose lines these are.
        lines: entry, line, rule, message, fix (null: the rule's own) and fields of each.
        columns: the client's own columns in their order; others that the fields name follow.
        several: whether the drop is an archive of several entries, so that ``_line`` says which.
        is_main: which of the names mean the column that holds a line which could not be taken apart; such a name is
            among the columns.
    """

    drop: Drop
    lines: DataFrame
    columns: Sequence[str]
    several: bool
    is_main: Callable[[str], bool]

    @classmethod
    def of_images(cls, spark: SparkSession, inputs: LoadInputs, several: bool, header: Sequence[str]) -> Rejected:
        """Those of a catalogue; one of its columns is the URL's.

        Args:
            header: the client's own columns (``header_of``).
        """
        lines = _quarantined(inputs.read_settled(spark)).withColumn("fix", F.lit(None).cast("string"))
        columns = header if any(map(_is_url, header)) else ["url", *header]
        return cls(inputs.drop, lines, columns, several, _is_url)

    @classmethod
    def of_records(cls, spark: SparkSession, inputs: RecordInputs, several: bool, header: Sequence[str]) -> Rejected:
        """Those of a drop of records; a row with several faults names all of them.

        Args:
            header: the client's own columns (``header_of``), none where no file has a header.
        """
        faults = {
            "rule": F.concat_ws(_BETWEEN, "faults.rule"),
            "message": F.concat_ws(" ", "faults.message"),
            "fix": F.concat_ws(" ", F.array_distinct("faults.fix")),
        }
        many = F.size("faults") > 1
        lines = _quarantined(inputs.read_settled(spark)).withColumn("fix", F.lit(None).cast("string"))
        lines = lines.withColumns({name: F.when(many, all_).otherwise(F.col(name)) for name, all_ in faults.items()})
        columns = header or [column.attribute for column in inputs.drop.records.read]
        return cls(inputs.drop, lines, columns, several, lambda name: name == columns[0])

    def write(self, file: BinaryIO, count: int) -> int:
        """Writes them as CSV (UTF-8, the feed's delimiter), ordered by entry and line.

        Cells stand as ``fields`` carries them: escaped for a spreadsheet already. What is added here, and the names of
        the columns, are escaped here. Rows come to this process part by part, each of some 16 MiB.

        Args:
            file: takes the bytes.
            count: how many lines are quarantined, as the proof says; for none Spark is not asked.

        Returns:
            How many rows there are; with none, the file holds the header only.
        """
        columns = self._all_columns() if count else self.columns
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, delimiter=self.drop.config.delimiter)
        writer.writerow([*map(encode, columns), *ADDED])
        rows = 0
        for row in _in_order(self.lines, self._parts(count)) if count else ():
            writer.writerow([*self._cells(row.fields or {}, columns), *self._added(row)])
            rows += 1
        text.detach()
        return rows

    def _parts(self, count: int) -> int:
        """In how many parts so many rows come to this process."""
        size = F.aggregate(
            F.map_values("fields"), F.lit(0), lambda total, cell: total + F.coalesce(F.octet_length(cell), F.lit(0))
        )
        measured: int = self.lines.agg(F.coalesce(F.sum(size), F.lit(0)).alias("bytes")).collect()[0].bytes
        return 1 + count // _PART_ROWS + measured // _PART_BYTES

    def _all_columns(self) -> list[str]:
        """The client's own columns, then by name at most the 1,000 most frequent of those that only lines name."""
        named = self.lines.select(F.explode(F.map_keys("fields")).alias("name")).groupBy("name").count()
        often = named.orderBy(F.desc("count"), "name").limit(_MOST_COLUMNS).collect()
        names = {row.name for row in often if not self.is_main(row.name)}
        return [*self.columns, *sorted(names.difference(self.columns, ADDED))]

    def _cells(self, fields: Mapping[str, str | None], columns: Sequence[str]) -> list[str]:
        """A line's own cells. The main column's, or a line that could not be taken apart, stands in the first column
        that is a main one, however that is written there.
        """
        main = next((value for name, value in fields.items() if self.is_main(name)), None)
        first = next(name for name in columns if self.is_main(name))
        return [(fields.get(name) or (main if name == first else None)) or "" for name in columns]

    def _added(self, row: Row) -> list[str]:
        line = f"{row.entry}:{row.line}" if self.several else str(row.line)
        fix = rule(row.rule).fix if row.fix is None else row.fix
        return [encode(cell) for cell in (line, row.rule, row.message, fix, self.drop.id)]


def _quarantined(settled: DataFrame) -> DataFrame:
    return settled.where(F.col("outcome") == "quarantined")


def _in_order(lines: DataFrame, parts: int) -> Iterator[Row]:
    columns = lines.select("entry", "line", "rule", "message", "fix", "fields")
    ranges = columns.repartitionByRange(parts, "entry", "line") if parts > 1 else columns.coalesce(1)
    yield from ranges.sortWithinPartitions("entry", "line").toLocalIterator()


def header_of(index: Index) -> list[str]:
    """The client's own columns in the order in which they came; none where no file has a header."""
    columns = [name for entry in index.entries for name in column_names(entry) if name not in ADDED]
    return list(dict.fromkeys(columns))


def _is_url(name: str) -> bool:
    """Whether Validate takes the column for the URL's."""
    return name.strip().lower() == "url"
