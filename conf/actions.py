"""``[[workflow.stages.actions]]`` of a client's file: what one action reads, does and writes."""

from __future__ import annotations

import difflib
import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from conf.expressions import Select, expression, select
from conf.feeds.columns import Clean
from conf.feeds.values import checked_type, spark_type
from conf.files import conf_directory
from conf.names import ColumnName, Name, TableName
from conf.problems import not_empty, shown

_MOST_BYTES = 64 << 10
_FUNCTION = re.compile(r"[a-z_][a-z0-9_]{0,62}:[a-z_][a-z0-9_]{0,62}", re.IGNORECASE)
_TYPED = Annotated[str, AfterValidator(checked_type)]
# Tables that feeds become; whatever a workflow makes is called otherwise.
_OF_FEEDS = ("fact_", "dim_", "agg_")


def _own_name(table: str) -> str:
    if table.startswith(_OF_FEEDS):
        raise ValueError(f"tables of feeds begin with {', '.join(_OF_FEEDS)}: write into another")
    return table


def _one_select(text: str) -> str:
    select(text)
    return text


def _function(text: str) -> str:
    if _FUNCTION.fullmatch(text) is None:
        raise ValueError("it must be module:function, such as acme_marts:score")
    return text


class _Action(BaseModel):
    """What every action says."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    kind: str
    name: Name


class Writing(_Action):
    """An action that makes a table.

    Attributes:
        into: the table; no other action writes into it.
        mode: ``replace`` the whole table; ``replace_partitions`` those that the result has; ``append`` to it.
        partition_by: with ``replace_partitions``, the column whose values are the partitions.
        incremental: ``drop``: the action runs once for each drop, and sees the tables of that drop alone.
        columns: the columns that the result must have, with their types, no more and no fewer.
    """

    into: Annotated[TableName, AfterValidator(_own_name)]
    mode: Literal["replace", "replace_partitions", "append"] = "replace"
    partition_by: ColumnName | None = None
    incremental: Literal["drop"] | None = None
    columns: dict[ColumnName, _TYPED] | None = None

    @model_validator(mode="after")
    def _partitions(self) -> Writing:
        if (self.mode == "replace_partitions") != (self.partition_by is not None):
            raise ValueError("mode = 'replace_partitions' and partition_by belong together")
        return self

    def expected(self) -> dict[str, str] | None:
        """The columns that are enforced, with their types as Spark knows them; None: any."""
        if self.columns is None:
            return None
        return {name: spark_type(kind) for name, kind in self.columns.items()}


class Aggregate(Writing):
    """One SELECT over the star and earlier marts.

    Attributes:
        sql: the SELECT; or
        sql_file: the file that holds it, relative to ``clients/<client>/``.
    """

    kind: Literal["aggregate"]
    sql: Annotated[str, AfterValidator(_one_select)] | None = None
    sql_file: str | None = None

    @field_validator("sql_file")
    @classmethod
    def _is_there(cls, name: str, info: ValidationInfo) -> str:
        client = (info.context or {}).get("client")
        if client is not None:
            select(read_sql(client, name))
        return name

    @model_validator(mode="after")
    def _one_of_both(self) -> Aggregate:
        if (self.sql is None) == (self.sql_file is None):
            raise ValueError("it must have either sql or sql_file")
        return self

    def statement(self, client: str) -> Select:
        """The SELECT. ValueError: the file says something else by now."""
        return select(self.sql if self.sql is not None else read_sql(client, str(self.sql_file)))


class Mapped(BaseModel):
    """One column that a ``load`` gives.

    Attributes:
        name: of the column.
        source: in the file ``from``: the column of the table that is read; None: the same as ``name``.
        type: as in a feed's columns.
        clean: what is done to the text before it becomes a value, in order.
        derive: Spark SQL over the columns of the table that is read.
        required: whether the action fails where there is no value.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: ColumnName
    source: ColumnName | None = Field(None, alias="from")
    type: _TYPED = "string"
    clean: tuple[Clean, ...] = ()
    derive: str | None = Field(None, min_length=1)
    required: bool = False

    @model_validator(mode="after")
    def _not_both(self) -> Mapped:
        if self.derive is not None and (self.source is not None or self.clean):
            raise ValueError("it must have either derive, or from and clean")
        return self

    @property
    def column(self) -> str:
        """The column that is read."""
        return self.source or self.name


class Load(Writing):
    """A table's columns, mapped to others.

    Attributes:
        source: in the file ``from``: the table that is read.
        map: the columns, in order.
    """

    kind: Literal["load"]
    source: TableName = Field(alias="from")
    map: Annotated[tuple[Mapped, ...], AfterValidator(not_empty)]


class Python(Writing):
    """A function of the client's own module (trusted code): DataFrames by name -> one DataFrame.

    Attributes:
        function: ``module:function``, in the client's directory of modules.
        reads: the tables that it is given.
    """

    kind: Literal["python"]
    function: Annotated[str, AfterValidator(_function)]
    reads: Annotated[tuple[TableName, ...], AfterValidator(not_empty)]


class Deliver(_Action):
    """A table into the client's outbox.

    Attributes:
        table: which.
        format: of the file.
    """

    kind: Literal["deliver"]
    table: TableName
    format: Literal["csv", "parquet"] = "csv"


_KINDS = ("aggregate", "load", "python", "deliver")


def _kind(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return (difflib.get_close_matches(str(kind), _KINDS, n=1) or ["aggregate"])[0]


Action = Annotated[
    Annotated[Aggregate, Tag("aggregate")]
    | Annotated[Load, Tag("load")]
    | Annotated[Python, Tag("python")]
    | Annotated[Deliver, Tag("deliver")],
    Discriminator(_kind),
]


def read_sql(client: str, name: str) -> str:
    """A file of SQL in the client's own directory; ValueError, with a sentence, for any other."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        raise ValueError("it must be a path below clients/<client>/, without ..")
    home = conf_directory() / "clients" / client
    file = home / path
    try:
        if not file.resolve().is_relative_to(home.resolve()):
            raise ValueError(f"{shown(name)} leads out of {home}")
        with file.open("rb") as opened:
            data = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{file} cannot be read ({error.strerror})") from None
    if len(data) > _MOST_BYTES:
        raise ValueError(f"{file} has more than {_MOST_BYTES:,} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{file} is not UTF-8") from None


def reads(action: Aggregate | Load | Python | Deliver, client: str) -> frozenset[str]:
    """The tables that an action reads."""
    if isinstance(action, Aggregate):
        return action.statement(client).tables
    if isinstance(action, Load):
        return frozenset({action.source})
    return frozenset(action.reads) if isinstance(action, Python) else frozenset({action.table})


def derived(text: str, columns: frozenset[str]) -> str:
    """A ``derive`` as Spark is to run it; ValueError if it is wrong."""
    return expression(text, columns).sql
