"""One column of a feed of records, and one check across the columns of a row."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from conf.feeds.values import ORDERED, checked_format, checked_type, checked_value, family, ordered
from conf.names import ColumnName
from conf.patterns import checked_for_spark

Clean = Literal["strip", "squeeze", "lower", "upper", "title", "digits"]
Value = int | float | str | bool

# Columns that the lake adds to a table, or that name its directories.
_RESERVED = """\
build client corrects_drop corrects_line day drop entry feed line message month outcome received rule
    schema_version value year"""
RESERVED = frozenset(_RESERVED.split())
# Dimensions that every star has.
_DIMENSIONS = frozenset({"date", "drop", "image", "outcome", "source"})


def _unreserved(name: str) -> str:
    if name in RESERVED or name.endswith("_key"):
        raise ValueError(f"reserved names are {', '.join(sorted(RESERVED))}, and those that end with _key")
    return name


class Column(BaseModel):
    """One column of the table that a feed's records become.

    Attributes:
        name: in the table.
        type: string, int, long, double, bool, date, timestamp or decimal(p,s).
        source: in the file ``from``: the attribute in the client's file; None: the same as ``name``.
        derive: Spark SQL over other columns by their names in the table; such a column stands in no file.
        clean: what is done to the text before it is looked at, in order.
        format: how a date or timestamp is written, in Spark's pattern letters; None: ISO 8601.
        required: whether a value must be there.
        pattern: regular expression that the whole cleaned text must match.
        min, max: bounds of the value, both allowed.
        length: how many characters the cleaned text has: one number, or least and most.
        one_of: the values that are allowed.
        not_in_future: whether a date or timestamp may not lie after the drop's receipt.
        dimension: whether the values become members of ``dim_<name>``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: Annotated[ColumnName, AfterValidator(_unreserved)]
    type: Annotated[str, AfterValidator(checked_type)] = "string"
    source: str | None = Field(None, alias="from", min_length=1, max_length=255)
    derive: str | None = Field(None, min_length=1)
    clean: tuple[Clean, ...] = ("strip",)
    format: Annotated[str, Field(min_length=1, max_length=60), AfterValidator(checked_format)] | None = None
    required: bool = False
    pattern: Annotated[str, AfterValidator(checked_for_spark)] | None = None
    min: Any = None
    max: Any = None
    length: int | tuple[int, int] | None = None
    one_of: tuple[Any, ...] | None = None
    not_in_future: bool = False
    dimension: bool = False

    @property
    def attribute(self) -> str:
        """The attribute in the client's file."""
        return self.source or self.name

    @property
    def family(self) -> str:
        """The type without its digits."""
        return family(self.type)

    @field_validator("derive")
    @classmethod
    def _not_both(cls, derive: str | None, info: ValidationInfo) -> str | None:
        if derive is not None and info.data.get("source") is not None:
            raise ValueError("a column has from or derive, not both")
        return derive

    @field_validator("clean", "format", "pattern", "length")
    @classmethod
    def _of_a_text(cls, given: Any, info: ValidationInfo) -> Any:
        if given is not None and given != ("strip",) and info.data.get("derive") is not None:
            raise ValueError("a column that is derived has no text of its own to look at")
        if given is not None and info.field_name == "format" and _family(info) not in (None, "date", "timestamp"):
            raise ValueError("only a date or a timestamp has a format")
        return given

    @field_validator("min", "max")
    @classmethod
    def _bound(cls, bound: Any, info: ValidationInfo) -> Value | None:
        if bound is None or _family(info) is None:
            return None
        if _family(info) not in ORDERED:
            raise ValueError("only numbers, dates and timestamps have bounds; for a text there is length")
        value = checked_value(bound, info.data["type"])
        least = info.data.get("min")
        if least is not None and ordered(value, info.data["type"]) < ordered(least, info.data["type"]):
            raise ValueError(f"it must not be less than min ({least})")
        return value

    @field_validator("length")
    @classmethod
    def _span(cls, length: int | tuple[int, int] | None) -> int | tuple[int, int] | None:
        least, most = length if isinstance(length, tuple) else (length or 0, length or 0)
        if not 0 <= least <= most:
            raise ValueError("it must be a number of characters, or the least and the most of them")
        return length

    @field_validator("one_of")
    @classmethod
    def _members(cls, values: tuple[Any, ...] | None, info: ValidationInfo) -> tuple[Value, ...] | None:
        if values is None or _family(info) is None:
            return None
        if not values:
            raise ValueError("it must name at least one")
        return tuple(checked_value(value, info.data["type"]) for value in values)

    @field_validator("dimension")
    @classmethod
    def _not_taken(cls, given: bool, info: ValidationInfo) -> bool:
        if given and info.data.get("name") in _DIMENSIONS:
            raise ValueError(f"dimensions that are there already are {', '.join(sorted(_DIMENSIONS))}")
        return given

    @field_validator("not_in_future")
    @classmethod
    def _has_time(cls, given: bool, info: ValidationInfo) -> bool:
        if given and _family(info) not in (None, "date", "timestamp"):
            raise ValueError("only a date or a timestamp lies in the future")
        return given


class RowRule(BaseModel):
    """A check across the columns of a row.

    Attributes:
        name: the rule's code is ``row.<name>``.
        check: Spark SQL over the columns' names that is true of a good row; null counts as true.
        message: what a person reads of a row of which it is false.
        severity: whether such a row is rejected, or kept and counted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ColumnName
    check: str = Field(min_length=1)
    message: str = Field(min_length=1, max_length=500)
    severity: Literal["reject", "warn"] = "reject"


def _family(info: ValidationInfo) -> str | None:
    """The column's type, None where it is a mistake itself."""
    return family(info.data["type"]) if "type" in info.data else None
