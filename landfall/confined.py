"""A DuckDB that reaches the files it is given, and nothing else; and SQL that only reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from conf.errors import QueryRefused
from conf.sections import Query
from landfall import views
from landfall.duckdb_types import duckdb_columns
from landfall.limits import out_of_memory
from landfall.readable import Readable
from targets.catalog import Catalog
from targets.filesystem import FileSystem
from targets.local import LocalFileSystem

# DuckDB takes a COPY, INSERT, UPDATE or DELETE inside WITH for a part of a SELECT, and a COPY could write to any file
# that may be read: what a SELECT consists of is therefore looked at in its parse tree.
_READING_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
# Of the functions that stand in place of a table, those that make rows of their arguments. All others reach files or
# settings, or run SQL that nobody has looked at.
_TABLE_FUNCTIONS = {"generate_series", "json_each", "json_tree", "range", "repeat", "unnest"}
_FIX = "Ask with one SELECT over the client's tables; `SHOW TABLES` and `DESCRIBE <table>` show them."
_CONFIG: Mapping[str, Any] = {
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    "temp_directory": "",
}


def connect(fs: FileSystem, catalog: Catalog, limits: Query) -> duckdb.DuckDBPyConnection:
    """A database in memory with one view a table of the catalog, locked.

    Args:
        fs: where the catalog's files lie.
        limits: of memory and threads.

    Raises:
        QueryRefused: a file that should be there cannot be read.
    """
    connection = duckdb.connect(
        ":memory:", config={**_CONFIG, "memory_limit": limits.memory, "threads": limits.threads}
    )
    paths = {fs.uri(file): file for name in catalog.tables for file in catalog.files(name)}
    try:
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        if paths and not isinstance(fs, LocalFileSystem):  # DuckDB opens this machine's files by itself
            connection.register_filesystem(Readable(fs, paths))
        for name, table in catalog.tables.items():
            groups = [
                views.Files(duckdb_columns(columns), [fs.uri(file) for file in files], alike)
                for columns, files, alike in catalog.written(name)
            ]
            connection.execute(views.create(table, duckdb_columns(table.columns), groups))
        connection.execute(f"SET allowed_paths = {views.texts(paths)}")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    except duckdb.Error as error:
        raise refusal(error, "See whether the lake is whole: `landfall status` tells.") from error
    return connection


def check_select(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raises QueryRefused unless the text is exactly one statement, and one that only reads tables."""
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise refusal(error) from error
    if len(statements) != 1:
        raise QueryRefused(f"There are {len(statements)} statements; exactly one is run.", _FIX)
    if statements[0].type != duckdb.StatementType.SELECT:
        raise QueryRefused(f"{statements[0].type.name.replace('_', ' ')} is not run here.", _FIX)
    for part in _parts(_tree(connection, sql)):
        kind = str(part.get("type", ""))
        if kind.endswith("_NODE") and kind not in _READING_NODES:
            raise QueryRefused(f"{kind.partition('_')[0]} is not run here.", _FIX)
        if kind == "TABLE_FUNCTION":
            function = str(part["function"]["function_name"]).lower()
            if function not in _TABLE_FUNCTIONS:
                raise QueryRefused(f"The function {function} is not run here.", _FIX)


def refusal(error: duckdb.Error, fix: str = "") -> QueryRefused:
    """DuckDB's message as a sentence of ours, without the picture of the line that follows it."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return out_of_memory()
    message = re.sub(r"\s+", " ", str(error).partition("\n\nLINE ")[0]).strip()
    if isinstance(error, duckdb.CatalogException):  # a table or a function that is not there
        fix = fix or _FIX
    return QueryRefused(f"DuckDB cannot run this: {message[:1000]}", fix)


def _tree(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    [(serialized,)] = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
    try:
        tree = json.loads(serialized)
    except RecursionError:
        raise QueryRefused("The statement is nested too deeply.", _FIX) from None
    if tree["error"]:
        raise QueryRefused(f"DuckDB cannot tell what this is: {tree.get('error_message', 'no reason')}.", _FIX)
    return tree


def _parts(tree: Any) -> Iterator[Mapping[str, Any]]:
    """Every object of a parse tree. Not recursive: a query may be nested deeper than Python's stack."""
    left = [tree]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            yield part
            left.extend(part.values())
        elif isinstance(part, list):
            left.extend(part)
