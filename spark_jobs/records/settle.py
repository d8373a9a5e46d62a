"""Lines that go no further -> rows of the table ``settled``, but for their ``fields`` (Arrow: columns at a time)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from conf.feeds import RecordsFeed
from conf.rules import RULES
from spark_jobs.records.shape import CORRECTS, LINE, PLACE, SETTLED

_SHAPE = pa.schema([pa.field("_range", pa.int32()), *SETTLED])
_PLACES = re.compile(r"\{(\w+)\}")


def quarantined(bad: pa.Table) -> pa.Table:
    """Lines with PLACE, CORRECTS and _faults (one at least) -> ``settled`` and _range."""
    first = pc.list_element(bad["_faults"], 0)
    said = {name: pc.struct_field(first, name) for name in ("rule", "value", "message")}
    return _shaped(bad, {"outcome": pa.scalar("quarantined"), **said, "faults": bad["_faults"]})


def repeated(lines: pa.Table, code: str, feed: RecordsFeed, *, several: bool) -> pa.Table:
    """Lines of ``duplicates.taken`` -> ``settled`` and _range.

    Args:
        code: of the rule by which they are taken.
        several: whether the drop has several entries, so that a line alone does not say which it is.
    """
    rule, names = RULES[code], lines.column_names
    first = lines["_first_line"].cast(pa.string())
    if several or "_drop" in names:
        first = pc.binary_join_element_wise(lines["_first_entry"].cast(pa.string()), first, ":")
    places = {"first": first}
    if "_drop" in names:
        places["drop"] = pc.utf8_slice_codeunits(lines["_drop"], 0, 12)
    message = _filled(rule.message, places)
    value = first if rule.outcome == "duplicate" else lines["_value"]
    fault = {
        "column": pa.scalar(feed.key[0] if len(feed.key) == 1 else None, pa.string()),
        "rule": pa.scalar(code),
        "value": value,
        "message": message,
        "fix": pa.scalar(rule.fix),
    }
    each = pa.StructArray.from_arrays([_column(one, len(lines)) for one in fault.values()], [*fault])
    faults = pa.ListArray.from_arrays(pa.array(range(len(lines) + 1), pa.int32()), each)
    said = {"outcome": pa.scalar(rule.outcome), "rule": pa.scalar(code), "value": value, "message": message}
    said |= {f"first_{name}": lines[f"_first_{name}"] for name in LINE}
    return _shaped(lines, {**said, "faults": faults})


def _shaped(lines: pa.Table, said: Mapping[str, pa.Array | pa.ChunkedArray | pa.Scalar]) -> pa.Table:
    columns = []
    for field in _SHAPE:
        found = said.get(field.name)
        if found is None:
            found = lines[field.name] if field.name in (*PLACE, *CORRECTS) else pa.scalar(None, field.type)
        columns.append(_column(found, len(lines)).cast(field.type))
    return pa.Table.from_arrays(columns, schema=_SHAPE)


def _column(said: pa.Array | pa.ChunkedArray | pa.Scalar, rows: int) -> pa.Array:
    if isinstance(said, pa.Scalar):
        return pa.repeat(said, rows)
    return said.combine_chunks() if isinstance(said, pa.ChunkedArray) else said


def _filled(template: str, values: Mapping[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    """A message with columns in its places."""
    parts = _PLACES.split(template)  # every second one is the name of a place
    each = [values[part] if number % 2 else pa.scalar(part) for number, part in enumerate(parts)]
    return pc.binary_join_element_wise(*each, "")
