"""Claims of feeds that whoever runs the client may not run, or that its file names no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from auth.gate import Permit
from conf.settings import load_settings
from pipelines import housekeeping
from pipelines.claims import acknowledge, claim
from pipelines.context import Context, context
from targets.clock import now
from tests.installation import Installation

EVERY_FEED = Permit("olga", "demo", "run", None)
OTHER_FEEDS = Permit("olga", "demo", "run", frozenset({"documents"}))


@contextmanager
def _afresh() -> Iterator[None]:
    """Forgets what this process knows of other installations, and afterwards of this one."""
    load_settings.cache_clear()
    context.cache_clear()
    yield
    load_settings.cache_clear()
    context.cache_clear()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    installation = Installation(tmp_path / "installation", port=9).prepare()
    for name, value in installation.environment().items():
        monkeypatch.setenv(name, value)
    with _afresh():
        yield installation


def _killed_before_it_registered(installed: Installation) -> Context:
    """An upload that is claimed, of which no drop is registered yet."""
    installed.upload("a.txt", b"http://127.0.0.1:9/1/2\n")
    places = context("demo")
    [claimed] = places.landing().claim()
    assert claimed.drop is not None
    return places


def test_a_claim_of_another_feed_waits_for_who_may_run_it(installed: Installation) -> None:
    places = _killed_before_it_registered(installed)
    claim(places, OTHER_FEEDS)
    acknowledge(places, OTHER_FEEDS.feeds)
    assert [left.name for left in places.landing().claims()] == ["a.txt"]


def test_a_claim_of_a_feed_that_is_gone_keeps_no_run_from_ending(installed: Installation) -> None:
    places = _killed_before_it_registered(installed)
    file = installed.conf / "clients/demo.toml"
    file.write_text(file.read_text().replace("[feeds.photos]", "[feeds.documents]"))
    claim(places, EVERY_FEED)
    acknowledge(places, EVERY_FEED.feeds)
    assert [left.name for left in places.landing().claims()] == ["a.txt"]


def test_nothing_is_answered_in_the_outbox_of_another_feed(installed: Installation) -> None:
    installed.upload("empty.txt", b"")
    places = context("demo")
    assert [claimed.refused is not None for claimed in places.landing().claim()] == [True]
    acknowledge(places, OTHER_FEEDS.feeds)
    assert installed.receipts() == []
    acknowledge(places, EVERY_FEED.feeds)
    assert [answer["status"] for answer in installed.receipts()] == ["refused"]


def test_refused_uploads_are_kept_for_a_while(installed: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    installed.upload("empty.txt", b"")
    places = context("demo")
    claim(places, EVERY_FEED)
    acknowledge(places, EVERY_FEED.feeds)
    days = places.settings.landing.keep_refused_days
    for later, kept in ((days - 1, 1), (days + 1, 0)):
        monkeypatch.setattr(housekeeping, "now", lambda later=later: now() + timedelta(days=later))
        housekeeping.sweep(places)
        assert len(places.landing().refused(9)) == kept
    assert [answer["status"] for answer in installed.receipts()] == ["refused"]
