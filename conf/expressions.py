"""SQL of configurations, looked at before anything runs it (sqlglot, Spark's dialect).

What is run is not the text that was written but the text that sqlglot makes of what it understood, and that text is
looked at once more: so nothing is run that was not understood. Functions are allowed by name (``conf.functions``);
there is no way to files, to Java, to the clock or to chance.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Collection, Iterator
from typing import NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from conf.functions import AGGREGATES, GENERATED, NO_FUNCTIONS, SCALARS, WITHOUT_ARGUMENTS
from conf.never_failing import without_failures
from conf.patterns import checked_for_spark
from conf.problems import nearest, shown

_SPARK = Dialect.get_or_raise("spark")
_MOST_CHARACTERS = 20_000
# It writes a warning of its own where it reads a command; here that is a mistake with a sentence.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

# Parts of one scalar expression that are no functions.
_VALUES: tuple[type[exp.Expr], ...] = (
    exp.Column,
    exp.Identifier,
    exp.Literal,
    exp.Null,
    exp.Boolean,
    exp.Paren,
    exp.Binary,
    exp.Unary,
    exp.Between,
    exp.In,
    exp.Bracket,
    exp.Interval,
    exp.DataType,
    exp.DataTypeParam,
    exp.Var,
    exp.Tuple,
    exp.Func,
)
_NEVER: tuple[type[exp.Expr], ...] = (exp.Lambda, exp.Transform, exp.QueryTransform, exp.Placeholder, exp.Exists)
# Parts of a SELECT beside these.
_QUERY: tuple[type[exp.Expr], ...] = (
    exp.Select,
    exp.SetOperation,
    exp.Subquery,
    exp.With,
    exp.CTE,
    exp.From,
    exp.Table,
    exp.TableAlias,
    exp.Join,
    exp.Where,
    exp.Group,
    exp.Having,
    exp.Order,
    exp.Ordered,
    exp.Limit,
    exp.Distinct,
    exp.Alias,
    exp.Star,
    exp.Window,
    exp.WindowSpec,
    exp.Filter,
    exp.WithinGroup,
    exp.Qualify,
    exp.Cube,
    exp.Rollup,
    exp.GroupingSets,
)
_REGULAR = (exp.RegexpLike, exp.RegexpILike, exp.RegexpReplace, exp.RegexpExtract, exp.RegexpSplit)


class Expression(NamedTuple):
    """One scalar expression.

    Attributes:
        sql: as Spark is to run it: what cannot be calculated (a division by nothing, a cast of what is no number, a
            sum that overflows) is null.
        columns: the columns that it reads.
    """

    sql: str
    columns: frozenset[str]


class Select(NamedTuple):
    """One SELECT.

    Attributes:
        sql: as Spark is to run it.
        tables: the tables that it reads, without its own WITH parts.
        columns: the names of what it gives, in order; None where it says ``*``.
    """

    sql: str
    tables: frozenset[str]
    columns: tuple[str, ...] | None


def expression(text: str, columns: Collection[str]) -> Expression:
    """One scalar expression over columns; ValueError says what is wrong with it.

    Args:
        text: Spark SQL.
        columns: names that it may use.
    """
    tree = _parsed(text, "one expression")
    if isinstance(tree, exp.Alias | exp.Query):
        raise ValueError("it must be one expression, without SELECT or AS")  # noqa: TRY004  # pydantic wants these
    _check_parts(tree, _VALUES, "an expression")
    _check_functions(text, SCALARS)
    used = set()
    for column in tree.find_all(exp.Column):
        if column.table or not isinstance(column.this, exp.Identifier):
            raise ValueError(f"{shown(column.sql())} must be a column's name alone")
        if column.name not in columns:
            raise ValueError(f"there is no column {shown(column.name)}{nearest(column.name, columns)}")
        used.add(column.name)
    sql = without_failures(tree).sql(dialect=_SPARK)
    _check_functions(sql, SCALARS | GENERATED)
    return Expression(sql, frozenset(used))


def select(text: str) -> Select:
    """Exactly one SELECT that only reads; ValueError says what is wrong with it."""
    tree = _parsed(text, "one SELECT")
    if not isinstance(tree, exp.Select | exp.SetOperation):
        raise ValueError("it must be one SELECT, and nothing else")  # noqa: TRY004
    _check_parts(tree, (*_VALUES, *_QUERY), "a SELECT")
    _check_functions(text, SCALARS | AGGREGATES)
    sql = tree.sql(dialect=_SPARK)
    _check_functions(sql, SCALARS | AGGREGATES | GENERATED)
    return Select(sql, frozenset(_tables(tree)), _columns(tree))


def _parsed(text: str, what: str) -> exp.Expr:
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"it must have at most {_MOST_CHARACTERS:,} characters")
    try:
        found = sqlglot.parse(text, read=_SPARK)
    except SqlglotError as error:
        raise ValueError(f"it cannot be read as SQL: {_reason(error)}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if len(found) != 1 or found[0] is None:
        raise ValueError(f"it must be {what}, and nothing else")
    tree: exp.Expr = found[0]
    return tree


def _reason(error: SqlglotError) -> str:
    first = (getattr(error, "errors", None) or [{}])[0]
    if "description" in first:
        near = f"{first['highlight']}"
        return f"{first['description'].rstrip('.')} at {shown(near)} (line {first['line']}, column {first['col']})"
    return shown(str(error).partition("\n")[0])


def _check_parts(tree: exp.Expr, allowed: tuple[type[exp.Expr], ...], what: str) -> None:
    for node in tree.walk():
        if isinstance(node, _NEVER) or not isinstance(node, allowed):
            raise ValueError(f"{shown(node.sql(dialect=_SPARK))} has no place in {what} here")  # noqa: TRY004
        if isinstance(node, exp.Func) and not any(node.args.values()):
            name = node.sql(dialect=_SPARK).partition("(")[0].lower()
            if name not in WITHOUT_ARGUMENTS:
                raise ValueError(f"{name} is not allowed: what is made of a drop may not depend on when or where")
        if isinstance(node, _REGULAR):
            _check_regular(node)


def _check_regular(node: exp.Expr) -> None:
    pattern = node.args.get("expression")
    if not isinstance(pattern, exp.Literal) or not pattern.is_string:
        raise ValueError(f"the regular expression in {shown(node.sql(dialect=_SPARK))} must be a text in quotes")
    try:
        checked_for_spark(pattern.this)
    except ValueError as error:
        raise ValueError(f"the regular expression {shown(pattern.this)}: {error}") from None


def _check_functions(sql: str, allowed: Collection[str]) -> None:
    """Looks at each name before a bracket."""
    tokens = _SPARK.tokenize(sql)
    for token, after in itertools.pairwise(tokens):
        name = token.text.lower()
        is_name = token.token_type.name == "IDENTIFIER" or name.replace("_", "a").isalnum()
        if after.token_type.name != "L_PAREN" or not is_name or token.token_type.name in ("STRING", "NUMBER"):
            continue
        if token.token_type.name != "IDENTIFIER" and name in NO_FUNCTIONS:
            continue
        if name not in allowed:
            raise ValueError(f"the function {shown(name)} is not allowed{nearest(name, allowed)}")


def _tables(tree: exp.Expr) -> Iterator[str]:
    for table in tree.find_all(exp.Table):
        if table.args.get("db") or table.args.get("catalog") or not isinstance(table.this, exp.Identifier):
            raise ValueError(f"{shown(table.sql(dialect=_SPARK))} must be a table's name alone")
    for scope in traverse_scope(tree):
        for source in scope.sources.values():
            if isinstance(source, exp.Table):
                yield source.name


def _columns(tree: exp.Query) -> tuple[str, ...] | None:
    names = []
    for projection in tree.selects:
        if projection.is_star:
            return None
        if not projection.output_name:
            raise ValueError(f"{shown(projection.sql(dialect=_SPARK))} needs a name (… AS name)")
        names.append(projection.output_name)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"it gives two columns one name ({', '.join(twice)})")
    return tuple(names)
