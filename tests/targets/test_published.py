"""Published entries: exclusive, idempotent, the highest seq wins."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from conf.errors import NotFound
from targets.layout import ClientLayout
from targets.local import LocalFileSystem
from targets.published import Published, current, of, publish, published_drops, published_feeds
from targets.register import Drop, register
from tests.drop_tables import drop

FS = LocalFileSystem()
STAGES = {"land": "b1", "load": "b2"}


@pytest.fixture
def layout(tmp_path: Path) -> ClientLayout:
    return ClientLayout(f"{tmp_path}/lake/test", "demo")


def entries(layout: ClientLayout, of_drop: Drop) -> list[str]:
    month = layout.published_month(of_drop.feed, of_drop.receipt)
    return [entry.name.removeprefix(of_drop.id) for entry in FS.list(month)]


def test_an_entry_names_the_build_of_every_stage(layout: ClientLayout) -> None:
    made = publish(FS, layout, drop(), "bp", STAGES)
    assert (made.seq, made.build, made.stages, made.receipt) == (1, "bp", STAGES, drop().receipt)
    assert Published.from_json(made.to_json()) == made
    assert entries(layout, drop()) == [".1.bp"]


def test_the_same_build_is_published_once(layout: ClientLayout) -> None:
    first = publish(FS, layout, drop(), "bp", STAGES)
    assert publish(FS, layout, drop(), "bp", STAGES) == first
    assert entries(layout, drop()) == [".1.bp"]


def test_the_highest_seq_wins_also_past_nine(layout: ClientLayout) -> None:
    builds = [f"b{number}" for number in range(12)]
    for build in builds:
        publish(FS, layout, drop(), build, STAGES)
    assert [(one.seq, one.build) for one in current(FS, layout, ["photos"])] == [(12, "b11")]


def test_an_earlier_build_can_be_published_again(layout: ClientLayout) -> None:
    for build in ("b1", "b2", "b1"):
        publish(FS, layout, drop(), build, STAGES)
    assert entries(layout, drop()) == [".1.b1", ".2.b2", ".3.b1"]


def test_readers_see_each_drop_of_the_feeds_they_may_read(layout: ClientLayout) -> None:
    dropped = [
        drop(content="1"),
        drop(content="2", received=datetime(2026, 3, 1, tzinfo=UTC)),
        drop(content="3", feed="other"),
    ]
    for one in dropped:
        publish(FS, layout, one, "bp", STAGES)
    assert published_feeds(FS, layout) == ["other", "photos"]
    assert [one.drop for one in current(FS, layout, ["photos"])] == [dropped[0].id, dropped[1].id]
    assert published_drops(FS, layout, "photos") == {dropped[0].id, dropped[1].id}
    assert [one.drop for one in current(FS, layout, ["photos"], date(2026, 3, 31))] == [dropped[1].id]
    assert current(FS, layout, ["photos"], date(2025, 3, 1)) == []
    assert current(FS, layout, []) == []
    assert current(FS, layout, ["nothing-yet"]) == []


def test_a_file_that_is_no_entry_is_not_read(layout: ClientLayout) -> None:
    publish(FS, layout, drop(), "bp", STAGES)
    month = layout.published_month("photos", drop().receipt)
    FS.create(f"{month}/{drop().id}.2.bq.swp", b"not an entry")
    assert [one.build for one in current(FS, layout, ["photos"])] == ["bp"]


def test_of_one_drop(layout: ClientLayout) -> None:
    register(FS, layout, drop())
    assert of(FS, layout, "photos", drop().id) is None
    made = publish(FS, layout, drop(), "bp", STAGES)
    assert of(FS, layout, "photos", drop().id) == made
    with pytest.raises(NotFound):
        of(FS, layout, "photos", drop(content="never came").id)


def test_two_processes_publishing_at_once_agree_on_what_readers_see(layout: ClientLayout) -> None:
    together = threading.Barrier(4)

    def go(build: str) -> None:
        together.wait()
        publish(FS, layout, drop(), build, STAGES)

    threads = [threading.Thread(target=go, args=(build,)) for build in ("b1", "b1", "b2", "b2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [seen] = current(FS, layout, ["photos"])
    assert seen.build in ("b1", "b2")
    names = entries(layout, drop())
    assert len(names) == len(set(names))
    assert max(names, key=lambda name: (int(name.split(".")[1]), name.split(".")[2])) == f".{seen.seq}.{seen.build}"
