"""Types of columns: as Spark's DDL writes them, which is how descriptions carry them, and as Arrow knows them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pyarrow as pa

_SIMPLE: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "binary": pa.binary(),
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "timestamp_ntz": pa.timestamp("us"),
    "void": pa.null(),
}
_WRITTEN = {kind: name for name, kind in _SIMPLE.items()}
_TOKEN = re.compile(r"\s*(`(?:[^`]|``)+`|\w+|[<>(),:])")


def arrow_type(written: str) -> pa.DataType:
    """The Arrow type of what Spark calls ``bigint``, ``decimal(12,2)`` or ``array<struct<a:string>>``.

    ValueError: it is no type that a table here has.
    """
    kind, rest = _type(_tokens(written))
    if rest:
        raise ValueError(f"{written!r} is no type of a column")
    return kind


def written_type(kind: pa.DataType) -> str:
    """How Spark's DDL writes an Arrow type; ``arrow_type`` gives the same one back."""
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_list(kind):
        return f"array<{written_type(kind.value_type)}>"
    if pa.types.is_map(kind):
        return f"map<{written_type(kind.key_type)},{written_type(kind.item_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{field.name}:{written_type(field.type)}' for field in kind)}>"
    return _WRITTEN[kind]


def arrow_schema(columns: Mapping[str, str]) -> pa.Schema:
    """Columns by name, as a description has them, as Arrow knows them."""
    return pa.schema([(name, arrow_type(written)) for name, written in columns.items()])


def _tokens(written: str) -> list[str]:
    found, at = [], 0
    while match := _TOKEN.match(written, at):
        found.append(match[1])
        at = match.end()
    if written[at:].strip():
        raise ValueError(f"{written!r} is no type of a column")
    return found


def _type(tokens: list[str]) -> tuple[pa.DataType, list[str]]:
    """The type that the tokens begin with, and the tokens after it."""
    name, rest = (tokens[0], tokens[1:]) if tokens else ("", [])
    if name in _NESTED and rest:
        return _NESTED[name](rest)
    if name in _SIMPLE:
        return _SIMPLE[name], rest
    raise ValueError(f"{name!r} is no type of a column")


def _decimal(rest: list[str]) -> tuple[pa.DataType, list[str]]:
    try:
        opening, precision, comma, scale, closing = rest[:5]
        if (opening, comma, closing) == ("(", ",", ")"):
            return pa.decimal128(int(precision), int(scale)), rest[5:]
    except ValueError:
        pass
    raise ValueError("a decimal is written decimal(precision,scale)")


def _array(rest: list[str]) -> tuple[pa.DataType, list[str]]:
    kind, rest = _type(_after("<", rest))
    return pa.list_(kind), _after(">", rest)


def _map(rest: list[str]) -> tuple[pa.DataType, list[str]]:
    key, rest = _type(_after("<", rest))
    item, rest = _type(_after(",", rest))
    return pa.map_(key, item), _after(">", rest)


def _struct(rest: list[str]) -> tuple[pa.DataType, list[str]]:
    fields, mark = [], "<"
    while rest[:1] == [mark]:
        name, rest = rest[1], _after(":", rest[2:])
        kind, rest = _type(rest)
        fields.append((name.strip("`").replace("``", "`"), kind))
        mark = ","
    return pa.struct(fields), _after(">", rest)


def _after(mark: str, tokens: list[str]) -> list[str]:
    if tokens[:1] != [mark]:
        raise ValueError(f"{mark!r} is missing in the type of a column")
    return tokens[1:]


_NESTED: Mapping[str, Callable[[list[str]], tuple[pa.DataType, list[str]]]] = {
    "decimal": _decimal,
    "array": _array,
    "map": _map,
    "struct": _struct,
}
