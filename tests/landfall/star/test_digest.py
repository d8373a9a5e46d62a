"""Equal content, equal digest; any other content, another one."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import landfall.digest
from conf.errors import AccessDenied, Damaged
from conf.settings import load_settings
from landfall.digest import Digest, digest
from spark_jobs.star.tables import TABLES
from targets.image_store import ImageDocument, open_store
from tests.drop_tables import drop
from tests.landfall.star.conftest import fact, publish_star, star_of

pytestmark = pytest.mark.usefixtures("ann")


def document(line: int, /, **overrides: Any) -> ImageDocument:
    row = fact(drop(), line)
    content = f"picture {line}".encode()
    fields = {
        "id": row["image_id"],
        "image": base64.b64encode(content).decode("ascii"),
        "digest": hashlib.sha256(content).hexdigest(),
        "original": row["original_id"],
        "width": 40,
        "height": 30,
        "format": "JPEG",
        "bytes": len(content),
        "source": "https://picsum.photos/1",
        "inserted": datetime(2026, 2, 28, tzinfo=UTC),
        "client": "demo",
        "feed": "photos",
        "drop": drop().id,
        "transforms": ("grayscale",),
        **overrides,
    }
    return ImageDocument(**fields)


def stored(documents: Sequence[ImageDocument]) -> None:
    open_store(load_settings(), "demo", prepare=True).close()
    with open_store(load_settings(), "demo") as store:
        store.insert(list(documents))


FACTS: tuple[Mapping[str, Any], ...] = (
    fact(drop(), 1),
    fact(drop(), 2),
    fact(drop(), 3, outcome="quarantined", rule="fetch.timeout", image_id=None, image_key=None),
)


@pytest.fixture
def house_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Another home of the same people."""

    def go(name: str) -> None:
        home = tmp_path / name
        home.mkdir()
        directory = home / "directory.json"
        directory.touch(mode=0o600)
        directory.write_bytes((tmp_path / "home" / "directory.json").read_bytes())
        monkeypatch.setenv("LANDFALL_HOME", str(home))
        load_settings.cache_clear()

    return go


def taken(
    go: Callable[[str], None],
    name: str,
    facts: Sequence[Mapping[str, Any]] = FACTS,
    documents: Sequence[ImageDocument] = (document(1), document(2)),
    of: Any = None,
    **how: Any,
) -> Digest:
    """The digest of a house of its own with this content."""
    go(name)
    of = of or drop()
    publish_star(of, star_of(of, facts), **how)
    stored(documents)
    return digest("demo")


def test_what_differs_between_two_runs_of_the_same_work_says_nothing(house_of: Callable[[str], None]) -> None:
    first = taken(house_of, "first")
    later = datetime(2027, 1, 1, tzinfo=UTC)
    moved = drop(received=later, upload="u-99", name="other.txt")
    again = [dict(row, attempts=9, milliseconds=7777, message="No answer, 9 attempts.") for row in reversed(FACTS)]
    again = [dict(row, date_key="0" * 32) for row in again]
    stored_later = [
        document(2, source="https://picsum.photos/elsewhere", inserted=later + timedelta(days=1), drop="f" * 64),
        document(1, feed="scans"),
    ]
    assert taken(house_of, "again", again, stored_later, moved, build="b77", files=3) == first


def test_each_part_has_a_digest(house_of: Callable[[str], None]) -> None:
    found = taken(house_of, "first")
    assert set(found.parts) == set(TABLES) - {"dim_date"} | {"image_store"}
    assert all(len(value) == 64 for value in [found.whole, *found.parts.values()])
    assert str(found) == found.whole


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        ({"http_status": 203}, {"fact_image_request"}),
        ({"value": "x"}, {"fact_image_request"}),
        ({"line": 9}, {"fact_image_request"}),
        ({"height": 31}, {"fact_image_request", "dim_image"}),
    ],
)
def test_another_fact_is_another_digest(
    house_of: Callable[[str], None], changed: Mapping[str, Any], parts: set[str]
) -> None:
    first = taken(house_of, "first")
    other = taken(house_of, "other", [{**FACTS[0], **changed}, *FACTS[1:]])
    assert {name for name in first.parts if first.parts[name] != other.parts[name]} == parts
    assert first.whole != other.whole


def test_a_row_twice_or_missing_is_another_digest(house_of: Callable[[str], None]) -> None:
    first = taken(house_of, "first")
    for name, facts in (("twice", [*FACTS, FACTS[0]]), ("missing", FACTS[1:])):
        assert taken(house_of, name, facts).parts["fact_image_request"] != first.parts["fact_image_request"]


@pytest.mark.parametrize(
    "documents",
    [
        [document(1)],
        [document(1), document(2), document(5)],
        [document(1), document(2, width=41)],
        [document(1), document(2, transforms=("grayscale", "thumbnail"))],
        [document(1), document(2, original="0" * 64)],
    ],
)
def test_another_store_is_another_digest(house_of: Callable[[str], None], documents: Sequence[ImageDocument]) -> None:
    first, other = taken(house_of, "first"), taken(house_of, "other", documents=documents)
    assert {name for name in first.parts if first.parts[name] != other.parts[name]} == {"image_store"}


def test_some_feeds_have_a_digest_of_their_own(house_of: Callable[[str], None], as_user: Callable[[str], None]) -> None:
    scans = drop(feed="scans")
    as_user("sam")

    def of_scans(name: str, others: Sequence[Mapping[str, Any]], documents: Sequence[ImageDocument]) -> Digest:
        house_of(name)
        publish_star(scans, star_of(scans, [fact(scans, 1)]))
        publish_star(drop(), star_of(drop(), others))
        stored(documents)
        return digest("demo")

    first = of_scans("first", FACTS, [document(1), document(2)])
    # What other feeds hold says nothing, not even through the store that they share.
    assert of_scans("other", FACTS[:1], [document(1)]) == first
    assert of_scans("lost", FACTS, [document(2)]) != first


def test_a_client_without_drops_has_a_digest(house_of: Callable[[str], None]) -> None:
    house_of("empty")
    assert digest("demo").whole == digest("demo").whole


def test_without_a_grant_there_is_no_digest(as_user: Callable[[str], None]) -> None:
    as_user("eve")
    with pytest.raises(AccessDenied):
        digest("demo")


@given(rows=st.lists(st.tuples(st.integers(0, 3), st.text(max_size=2)), max_size=8), data=st.data())
def test_rows_in_any_order_but_as_often(rows: list[tuple[int, str]], data: st.DataObject) -> None:
    of = landfall.digest._of
    assert of(data.draw(st.permutations(rows))) == of(rows)
    assert of([*rows, (0, "x")]) != of(rows)


def test_a_document_is_compared_by_its_content(house_of: Callable[[str], None]) -> None:
    """The digest that a document states is not believed."""
    damaged = replace(document(2), image=base64.b64encode(b"picture X").decode("ascii"))
    first = landfall.digest._picture(document(2))
    assert landfall.digest._picture(damaged) != first
    with pytest.raises(Damaged, match="is not in base64"):
        landfall.digest._picture(replace(damaged, image="***"))
