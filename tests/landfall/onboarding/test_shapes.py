from __future__ import annotations

import random
import re
import uuid

import pytest

from conf.patterns import checked_for_spark
from landfall.onboarding.shapes import pattern

ORDERS = {f"ab{number}": 1 for number in range(100_000, 100_100)}
UUIDS = {str(uuid.UUID(int=random.Random(number).getrandbits(128))): 1 for number in range(50)}


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (ORDERS, "[a-z]{2}[0-9]{6}"),
        ({"A1": 3, "B22": 3}, "[A-Z][0-9]+"),
        ({"AB-1": 1, "ABC-1": 1}, r"[A-Z]{2,3}\-[0-9]"),
        ({"00123": 1, "99999": 2}, "[0-9]{5}"),
        (UUIDS, r"[0-9a-f]{8}\-[0-9a-f]{4}\-[0-9a-f]{4}\-[0-9a-f]{4}\-[0-9a-f]{12}"),
        ({"1Z9A": 1, "A1B2": 1, "ZZ99": 1}, "[0-9A-Z]{4}"),
        ({"Smith": 5, "Jones": 5}, None),
        ({"10 Main St": 5, "11 Main St": 5}, None),
        ({"a1": 5, "x": 5, "1": 5}, None),
        ({}, None),
        ({"x" * 100: 5}, None),
    ],
)
def test_what_codes_have_in_common(values: dict[str, int], found: str | None) -> None:
    assert pattern(values, 0.98) == found
    if found:
        assert checked_for_spark(found)
        assert all(re.fullmatch(found, value) for value in values)


def test_what_is_no_code_does_not_count_if_there_is_little_of_it() -> None:
    assert pattern({**ORDERS, "??": 2}, 0.98) == "[a-z]{2}[0-9]{6}"
    assert pattern({**ORDERS, "??": 3}, 0.98) is None
