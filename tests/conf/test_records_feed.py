"""Feeds of records: what their configuration may say, and that the register gives it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conf.client import load_client
from conf.errors import ConfigError
from conf.feeds import RecordsFeed, feed_config

GOOD = """
client = "acme"
[feeds.orders]
kind = "records"
key = ["order_id"]
partition_by = "ordered_at"
on_redrop = "replace_period"
max_rejected = "20%"
[[feeds.orders.columns]]
name = "order_id"
from = "Order ID"
clean = ["strip", "lower"]
required = true
pattern = "[a-z]{2}[0-9]{6}"
[[feeds.orders.columns]]
name = "quantity"
type = "int"
min = 1
one_of = [1, 2, 10]
[[feeds.orders.columns]]
name = "unit_price"
type = "decimal(10,2)"
max = "99.50"
[[feeds.orders.columns]]
name = "ordered_at"
type = "timestamp"
format = "dd.MM.yyyy HH:mm"
min = 2020-01-01T00:00:00Z
not_in_future = true
required = true
[[feeds.orders.columns]]
name = "tax"
type = "decimal(12,2)"
derive = "total * 0.2"
[[feeds.orders.columns]]
name = "total"
type = "decimal(12,2)"
derive = "quantity * unit_price"
[[feeds.orders.rules]]
name = "not_free"
check = "total > 0"
message = "An order costs something."
"""


@pytest.fixture
def clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "conf" / "clients").mkdir(parents=True)
    monkeypatch.setenv("LANDFALL_CONF", str(tmp_path / "conf"))
    return tmp_path / "conf" / "clients"


def _load(clients: Path, text: str = GOOD) -> RecordsFeed:
    (clients / "acme.toml").write_text(text)
    feed = load_client("acme").feeds["orders"]
    assert isinstance(feed, RecordsFeed)
    return feed


def test_a_feed_of_records_is_read_and_the_register_gives_it_back(clients: Path) -> None:
    feed = _load(clients)
    assert feed.columns[2].max == "99.50"
    assert feed.columns[3].min == "2020-01-01 00:00:00"
    assert [column.name for column, _ in feed.derived] == ["total", "tax"]
    assert [column.name for column in feed.read] == ["order_id", "quantity", "unit_price", "ordered_at"]
    assert feed_config(json.loads(json.dumps(feed.model_dump(mode="json")))) == feed


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"int"', '"integer"', "columns[1].type is 'integer'; it must be one of string, int,"),
        ('"decimal(10,2)"', '"decimal(39,2)"', "decimal(p,s) has p of 1 to 38"),
        ('"order_id"\nfrom', '"year"\nfrom', "columns[0].name is 'year'; reserved names are"),
        ('"order_id"\nfrom', '"a_key"\nfrom', "those that end with _key"),
        ('"[a-z]{2}[0-9]{6}"', '"([a-z]+)+"', "columns[0].pattern is"),
        ('"[a-z]{2}[0-9]{6}"', '"[[a-z]"', "it must be a regular expression"),
        ("min = 1\n", "min = 1.5\n", "columns[1].min is 1.5; it must be a value of type int"),
        ("min = 1\n", "min = 3000000000\n", "it is too large"),
        ("min = 1\n", "min = 4\nmax = 3\n", "it must not be less than min (4)"),
        ('max = "99.50"', 'max = "99.505"', "99.505 has more digits than decimal(10,2)"),
        ('clean = ["strip", "lower"]', "min = 3", "only numbers, dates and timestamps have bounds"),
        ('clean = ["strip", "lower"]', "length = [3, 2]", "the least and the most"),
        ('clean = ["strip", "lower"]', "not_in_future = true", "only a date or a timestamp lies in the future"),
        ('clean = ["strip", "lower"]', 'format = "yyyy"', "only a date or a timestamp has a format"),
        ('clean = ["strip", "lower"]', 'derive = "1"', "a column has from or derive, not both"),
        ("one_of = [1, 2, 10]", "one_of = []", "it must name at least one"),
        ("one_of = [1, 2, 10]", 'one_of = ["1"]', "it must be a value of type int"),
        ('"dd.MM.yyyy HH:mm"', '"dd.mmm.yyyy"', "'mmm' has no meaning"),
        ('"dd.MM.yyyy HH:mm"', '"yyyy*"', "it has a sign that is none"),
        ('derive = "total * 0.2"', 'derive = "totl * 0.2"', "derive of tax: there is no column 'totl'; did you mean"),
        ('derive = "total * 0.2"', "derive = \"reflect('a', 'b')\"", "the function 'reflect' is not allowed"),
        ('derive = "quantity * unit_price"', 'derive = "tax * 2"', "derived from one another: tax, total"),
        ('check = "total > 0"', 'check = "totals > 0"', "check of not_free: there is no column 'totals'"),
        ('key = ["order_id"]', 'key = ["orderid"]', "key is ['orderid']; there is no column orderid; did you mean"),
        ('key = ["order_id"]', 'key = ["order_id", "order_id"]', "it must name each column once"),
        ('partition_by = "ordered_at"', 'partition_by = "quantity"', "it must be a column of dates or timestamps"),
        ('name = "tax"', 'name = "ordered_at_month"', "the column ordered_at_month must be called otherwise"),
        ('partition_by = "ordered_at"', "", "on_redrop is 'replace_period'; it needs partition_by"),
        ('key = ["order_id"]', 'unique = "always"', "unique is 'always'; it needs a key"),
        ('key = ["order_id"]', 'delimiter = ";"\nquote = ";"', "it must not be the delimiter"),
        ('key = ["order_id"]', 'delimiter = "x"', "it must be one ASCII character"),
        ('key = ["order_id"]', "header = false", "without a header columns stand in the file's order"),
        ('key = ["order_id"]', 'format = "jsonl"\nencoding = "iso-8859-1"', "JSON is UTF-8"),
        ("not_in_future = true\nrequired = true", "", "it needs the column ordered_at to be required"),
        ('"order_id"\nfrom', '"date"\ndimension = true\nfrom', "dimensions that are there already are date, drop"),
        ('name = "tax"', 'name = "total"', "two columns have one name (total)"),
        ('kind = "records"', 'kind = "records"\nsources = ["a.example"]', "feeds.orders.sources is no key"),
    ],
)
def test_a_mistake_is_one_sentence(old: str, new: str, told: str, clients: Path) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        _load(clients, GOOD.replace(old, new, 1))
    assert any(told in problem for problem in caught.value.problems), caught.value.problems


@pytest.mark.parametrize(
    ("type", "value", "kept"),
    [
        ("decimal(5,2)", 1.5, "1.5"),
        ("decimal(5,2)", "999.99", "999.99"),
        ("decimal(5,2)", "1000", None),
        ("decimal(5,2)", "NaN", None),
        ("date", "2026-02-28", "2026-02-28"),
        ("date", "2026-02-30", None),
        ("timestamp", "2026-02-28", "2026-02-28 00:00:00"),
        ("timestamp", "2026-02-28T10:00:00+02:00", "2026-02-28 08:00:00"),
        ("long", 1 << 62, 1 << 62),
        ("long", 1 << 63, None),
        ("int", True, None),
        ("double", 2, 2.0),
    ],
)
def test_a_bound_is_a_value_of_the_type(type: str, value: Any, kept: Any) -> None:
    fields = {"kind": "records", "columns": [{"name": "a", "type": type, "min": value}]}
    if kept is None:
        with pytest.raises(ValueError):
            feed_config(fields)
    else:
        feed = feed_config(fields)
        assert isinstance(feed, RecordsFeed)
        assert feed.columns[0].min == kept
