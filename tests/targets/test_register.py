"""The register: a drop is what it was registered as, until it is revised."""

from __future__ import annotations

from pathlib import Path

import pytest

from conf.errors import NotFound
from targets.layout import ClientLayout
from targets.local import LocalFileSystem
from targets.published import of, publish
from targets.register import Drop, newest_revision, register, registered, revise, revised_drops
from tests.drop_tables import drop
from tests.record_tables import order_drop, orders

FS = LocalFileSystem()


@pytest.fixture
def layout(tmp_path: Path) -> ClientLayout:
    return ClientLayout(f"{tmp_path}/lake/test", "demo")


@pytest.mark.parametrize("dropped", [drop(), order_drop()])
def test_a_drop_survives_its_file(dropped: Drop) -> None:
    assert Drop.from_json(dropped.to_json()) == dropped


def test_what_is_registered_stays_as_it_was(layout: ClientLayout) -> None:
    assert register(FS, layout, order_drop()) == order_drop()
    other = order_drop(config=orders(max_rejected=0.5))
    assert register(FS, layout, other) == order_drop()
    assert registered(FS, layout, "orders", order_drop().id) == order_drop()
    with pytest.raises(NotFound):
        registered(FS, layout, "orders", "0" * 64)


def test_a_revision_is_the_same_drop_with_another_configuration(layout: ClientLayout) -> None:
    of_drop = register(FS, layout, order_drop())
    assert revised_drops(FS, layout, "orders") == set()
    for number in range(1, 12):
        config = orders(max_rejected=number / 100)
        revised = revise(FS, layout, of_drop, config)
        assert (revised.revision, revised.config, revised.received) == (number, config, of_drop.received)
        assert registered(FS, layout, "orders", of_drop.id) == revised
    assert newest_revision(FS, layout, "orders", of_drop.id) == 11
    assert revised_drops(FS, layout, "orders") == {of_drop.id}


def test_a_revision_is_published_even_if_it_makes_the_same(layout: ClientLayout) -> None:
    of_drop = register(FS, layout, order_drop())
    publish(FS, layout, of_drop, "b1", {})
    revised = revise(FS, layout, of_drop, of_drop.config)
    publish(FS, layout, revised, "b1", {})
    seen = of(FS, layout, "orders", of_drop.id)
    assert seen is not None
    assert (seen.seq, seen.build, seen.revision) == (2, "b1", 1)
    publish(FS, layout, revised, "b1", {})
    assert of(FS, layout, "orders", of_drop.id) == seen
