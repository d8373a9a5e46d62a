"""Each rule at its boundary: the last value that is taken, the first that is not."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.spark_jobs.records.drops import feed, validated

# column -> (configuration, texts that are taken with their values as text, texts that are not with their rule)
CASES: dict[str, tuple[dict[str, Any], dict[str, str | None], dict[str, str]]] = {
    "needed": ({"required": True}, {"x": "x", " x ": "x"}, {"": "value.missing", " \u00a0": "value.missing"}),
    "whole": (
        {"type": "int", "min": -5, "max": 2147483647},
        {"-5": "-5", "2147483647": "2147483647", "+7": "7", "007": "7", "": None},
        {"-6": "value.min", "2147483648": "value.type", "1.0": "value.type", "1e3": "value.type", "x": "value.type"},
    ),
    "big": (
        {"type": "long"},
        {"9223372036854775807": "9223372036854775807"},
        {"9223372036854775808": "value.type", "0x10": "value.type"},
    ),
    "price": (
        {"type": "decimal(5,2)", "min": "0.01", "max": "999.99"},
        {"0.01": "0.01", "999.99": "999.99", "1.100": "1.10", ".5": "0.50", "0000001": "1.00"},
        {
            "0.00": "value.min",
            "1000": "value.type",
            "1.005": "value.type",
            "1e2": "value.type",
            ".": "value.type",
            "1,5": "value.type",
        },
    ),
    "weight": (
        {"type": "double", "max": 10},
        {"10": "10.0", "1e1": "10.0", "-.5": "-0.5", "5.": "5.0"},
        {"10.000001": "value.max", "1d": "value.type", "NaN": "value.type", "1e999": "value.type", "1e-": "value.type"},
    ),
    "gift": (
        {"type": "bool"},
        {"TRUE": "True", "y": "True", "1": "True", "No": "False", "f": "False"},
        {"2": "value.type", "ja": "value.type"},
    ),
    "calendar": (
        {"type": "date", "min": "2026-01-01", "not_in_future": True},
        {"2026-01-01": "2026-01-01", "2026-11-27": "2026-11-27"},
        {
            "2025-12-31": "value.min",
            "2026-11-28": "value.future",
            "2026-02-30": "value.type",
            "2026-1-1": "value.type",
            "2026": "value.type",
            "2026-01-1T": "value.type",
        },
    ),
    "german": (
        {"type": "date", "format": "dd.MM.yyyy"},
        {"29.02.2024": "2024-02-29"},
        {"29.02.2026": "value.type", "1.2.2026": "value.type", "2026-01-01": "value.type"},
    ),
    "moment": (
        {"type": "timestamp", "not_in_future": True},
        {
            "2026-11-27T12:00:00Z": "2026-11-27 12:00:00",
            "2026-11-27 13:00:00+01:00": "2026-11-27 12:00:00",
            "2026-11-27": "2026-11-27 00:00:00",
        },
        {
            "2026-11-27 12:00:01": "value.future",
            "10:00": "value.type",
            "2026-11-27 13:00+01:00": "value.type",
            "2026-11-27 25:00": "value.type",
        },
    ),
    "written": (
        {"type": "timestamp", "format": "dd/MM/yyyy HH:mm"},
        {"01/02/2026 03:04": "2026-02-01 03:04:00"},
        {"2026-02-01 03:04": "value.type"},
    ),
    "code": (
        {"clean": ["strip", "upper"], "pattern": "[A-Z]{2}[0-9]?"},
        {"ab": "AB", "ab1": "AB1"},
        {"a": "value.pattern", "ab12": "value.pattern", "xab": "value.pattern", "a\nb": "value.pattern"},
    ),
    "name": (
        {"length": [2, 4], "clean": ["strip", "squeeze", "title"]},
        {"ab": "Ab", "a   b": "A B", "éé": "Éé"},
        {"a": "value.length", "abcde": "value.length"},
    ),
    "exact": ({"length": 3, "clean": ["digits"]}, {"1-2/3": "123", "x": None}, {"12": "value.length"}),
    "colour": ({"one_of": ["red", "blue"], "clean": ["lower"]}, {"RED": "red", "-": None}, {" red": "value.one_of"}),
    "size": ({"type": "decimal(3,1)", "one_of": [1, 2.5]}, {"1.0": "1.0", "2.50": "2.5"}, {"2": "value.one_of"}),
}


@pytest.fixture(scope="module")
def outcome(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[Any, Any]]:
    """(column, text) -> its value and rule: one drop with a line a case, in which the other columns are good."""
    columns = [{"name": "n", "type": "int"}, *({"name": name, **how} for name, (how, _, _) in CASES.items())]
    of = feed(columns=columns, rules=[], key=[], nulls=["-"])
    good = {name: next(iter(taken)) for name, (_, taken, _) in CASES.items()}
    asked = [(name, text) for name, (_, taken, not_taken) in CASES.items() for text in (*taken, *not_taken)]
    lines = [",".join(["n", *CASES])]
    for number, (name, text) in enumerate(asked):
        lines.append(",".join([str(number), *(f'"{cell}"' for cell in {**good, name: text}.values())]))
    found = validated(spark, tmp_path_factory.mktemp("rules") / "d", "\n".join(lines).encode(), of=of)
    values = {row["n"]: row for row in found.records}
    rules = {int(dict(row["fields"])["n"]): [one["rule"] for one in row["faults"]] for row in found.settled}
    return {
        (name, text): (values[number][name] if number in values else None, rules.get(number))
        for number, (name, text) in enumerate(asked)
    }


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, (_, taken, _) in CASES.items() for text in taken])
def test_a_value_is_taken(name: str, text: str, outcome: dict[tuple[str, str], tuple[Any, Any]]) -> None:
    value, rules = outcome[name, text]
    wanted = CASES[name][1][text]
    assert rules is None
    assert (None if value is None else str(value)) == wanted


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, (_, _, wrong) in CASES.items() for text in wrong])
def test_a_value_is_not_taken(name: str, text: str, outcome: dict[tuple[str, str], tuple[Any, Any]]) -> None:
    assert outcome[name, text][1] == [CASES[name][2][text]]
