"""``landfall replay`` and ``landfall profile``: who may, of what, and what is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conf.feeds import RecordsFeed
from targets.register import newest_revision, registered
from tests.landfall.cli.conftest import Ended
from tests.landfall.cli.lake import Lake
from tests.record_tables import orders

RECORDS = """
[feeds.orders]
kind = "records"
key = ["order_id"]
unique = "always"
columns = [{ name = "order_id" }]
"""


@pytest.fixture
def lake(house: Path) -> Lake:
    file = house / "conf/clients/demo.toml"
    file.write_text(file.read_text() + RECORDS)
    return Lake()


def test_a_replay_takes_the_configuration_as_it_is_now(lake: Lake, landfall: Callable[..., Ended]) -> None:
    drops = [lake.register(content=str(n), feed="orders", config=orders()) for n in range(2)]
    ended = landfall("replay", "--client", "demo", "--feed", "orders", "--drop", drops[1].id[:12])
    assert (ended.code, ended.err) == (0, "")
    assert "will be processed anew" in ended.out
    config = registered(lake.fs, lake.layout, "orders", drops[1].id).config
    assert isinstance(config, RecordsFeed)
    assert [column.name for column in config.columns] == ["order_id"]


def test_later_drops_follow_where_keys_come_once(lake: Lake, landfall: Callable[..., Ended]) -> None:
    drops = [
        lake.register(content=str(n), feed="orders", config=orders(), received=datetime(2026, 3, n, tzinfo=UTC))
        for n in (1, 2, 3)
    ]
    ended = landfall("replay", "--client", "demo", "--feed", "orders", "--drop", drops[1].id)
    assert "2 drops of demo/orders will be processed anew, 1 of them as later ones" in ended.out
    assert [newest_revision(lake.fs, lake.layout, "orders", drop.id) for drop in drops] == [0, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--feed", "orders", "--drop", "ffff"), 66, "No drop of the feed has an id that begins with ffff"),
        (("--feed", "order"), 66, "Client demo has no feed order"),
        (("--feed", "../x"), 77, ""),
    ],
)
def test_what_is_not_there_is_told(
    lake: Lake, landfall: Callable[..., Ended], arguments: tuple[str, ...], code: int, told: str
) -> None:
    ended = landfall("replay", "--client", "demo", *arguments)
    assert ended.code == code
    assert told in ended.err


def test_a_viewer_may_not_replay_but_may_see_a_profile(lake: Lake, landfall: Callable[..., Ended]) -> None:
    drop = lake.register(feed="orders", config=orders())
    assert landfall("replay", "--client", "demo", "--feed", "orders", user="vera").code == 77
    assert newest_revision(lake.fs, lake.layout, "orders", drop.id) == 0
    ended = landfall("profile", "--client", "demo", "--feed", "orders", user="vera")
    assert (ended.code, "No drop of the feed yet is published" in ended.err) == (66, True)
    assert landfall("profile", "--client", "demo", "--feed", "orders", user="sam").code == 77


def test_a_profile_tells_columns_and_drift(lake: Lake, landfall: Callable[..., Ended]) -> None:
    drop = lake.register(feed="orders", config=orders())
    lake.publish(drop)
    column = {
        "name": "country",
        "type": "string",
        "nulls": 1,
        "distinct": 2,
        "min": "BE",
        "max": "\x1b[2J",
        "often": [],
    }
    column |= {"shortest": 2, "longest": 2, "mean_length": 2.0, "often": [{"value": "NL", "count": 1200}]}
    drift = {"entry": 0, "new": ["x"], "missing": [], "reordered": True}
    counts = {"lines": 3, "ok": 3, "quarantined": 0, "duplicate": 0, "warned": 0}
    file = f"{lake.dataset(drop, 'validate').path}/profile/profile.json"
    lake.fs.create(file, json.dumps({**counts, "drift": [drift], "columns": [column]}).encode())
    shown = landfall("profile", "--client", "demo", "--feed", "orders", "--drop", drop.id[:6])
    assert shown.code == 0, shown.err
    assert "NL (1,200)" in shown.out
    assert "new x; in another order" in shown.out
    assert "\x1b" not in shown.out
    said = json.loads(landfall("profile", "--client", "demo", "--feed", "orders", "--json").out)
    assert (said["drop"], said["columns"]) == (drop.id, [column])
