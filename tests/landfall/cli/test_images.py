from __future__ import annotations

import csv
import hashlib
import io
import sqlite3
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pybase64
import pytest
import simplejpeg

from conf.settings import load_settings
from targets.image_store import ImageDocument, open_store
from tests.drop_tables import drop
from tests.landfall.cli.conftest import Ended
from tests.landfall.star.conftest import fact, publish_star, star_of

Call = Callable[..., Ended]
WIDTH, HEIGHT = 40, 30


def gray_jpeg(shade: int) -> bytes:
    pixels = np.full((HEIGHT, WIDTH, 1), shade, dtype=np.uint8)
    return bytes(simplejpeg.encode_jpeg(pixels, colorspace="GRAY"))


CONTENT = {hashlib.sha256(f"image {line}".encode()).hexdigest(): gray_jpeg(line * 40) for line in (1, 2, 3)}
IDS = sorted(CONTENT)


def document(image: str, content: bytes) -> ImageDocument:
    of = drop()
    return ImageDocument(
        id=image,
        image=pybase64.b64encode(content).decode(),
        digest=hashlib.sha256(content).hexdigest(),
        original="0" * 64,
        width=WIDTH,
        height=HEIGHT,
        format="JPEG",
        bytes=len(content),
        source="http://127.0.0.1:8200/40/30",
        inserted=datetime(2026, 3, 1, tzinfo=UTC),
        client="demo",
        feed=of.feed,
        drop=of.id,
        transforms=("grayscale",),
    )


@pytest.fixture(autouse=True)
def _published(house: Path) -> None:
    """Three pictures, in the star and in the store."""
    of = drop()
    tables = star_of(of, [fact(of, line) for line in (1, 2, 3)])
    for row in tables["dim_image"]:
        row["image_digest"] = hashlib.sha256(CONTENT[row["image_id"]]).hexdigest()
    publish_star(of, tables)
    with open_store(load_settings(), "demo", prepare=True) as store:
        store.insert([document(image, content) for image, content in CONTENT.items()])


@pytest.fixture
def store(house: Path) -> sqlite3.Connection:
    """The store's database, to be harmed."""
    return sqlite3.connect(house / "home" / "images" / "demo" / "images.sqlite", isolation_level=None)


def test_list(landfall: Call) -> None:
    ended = landfall("images", "list", "--client", "demo", "--format", "csv", "--limit", 2, user="vera")
    assert ended.code == 0
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert [row["image_id"] for row in rows] == IDS[:2]
    assert rows[0]["width"] == "40"


def test_the_table_shows_how_ids_begin(landfall: Call, house: Path) -> None:
    out = landfall("images", "list", "--client", "demo").out
    assert IDS[0] not in out
    shown = out.splitlines()[1].split()[0]
    assert IDS[0].startswith(shown)
    assert landfall("images", "get", shown, "--client", "demo").code == 0


def test_list_of_a_feed(landfall: Call) -> None:
    assert landfall("images", "list", "--client", "demo", "--feed", "photos").out.count("\n") == 4
    assert landfall("images", "list", "--client", "demo", "--feed", "scans").out.count("\n") == 1


def test_list_of_a_feed_that_is_none(landfall: Call) -> None:
    ended = landfall("images", "list", "--client", "demo", "--feed", "nofeed")
    assert (ended.code, ended.out) == (66, "")
    assert ended.err == "Client demo has no feed nofeed. Its feeds are: photos, scans.\n"


def test_get_writes_the_picture(landfall: Call, house: Path) -> None:
    ended = landfall("images", "get", IDS[0], "--client", "demo", user="vera")
    assert ended.code == 0
    file = house / f"{IDS[0][:16]}.jpg"
    assert file.read_bytes() == CONTENT[IDS[0]]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert str(file) in ended.out


def test_get_by_how_the_id_begins_into_a_named_file(landfall: Call, house: Path) -> None:
    goal = house / "gray.jpg"
    assert landfall("images", "get", IDS[1][:8].upper(), "--client", "demo", "--output", goal).code == 0
    assert goal.read_bytes() == CONTENT[IDS[1]]


def test_get_replaces_nothing_unless_forced(landfall: Call, house: Path) -> None:
    goal = house / "gray.jpg"
    goal.write_text("mine")
    ended = landfall("images", "get", IDS[0], "--client", "demo", "--output", goal)
    assert ended.code == 73
    assert "--force" in ended.err
    assert goal.read_text() == "mine"
    assert landfall("images", "get", IDS[0], "--client", "demo", "--output", goal, "--force").code == 0
    assert goal.read_bytes() == CONTENT[IDS[0]]


@pytest.mark.parametrize("image", ["0" * 64, "xyz", "' OR true --", "ab", "../../etc/passwd"])
def test_a_picture_that_is_none_ends_with_66(landfall: Call, house: Path, image: str) -> None:
    ended = landfall("images", "get", image, "--client", "demo")
    assert ended.code == 66
    assert not list(house.glob("*.jpg"))


def test_verify_finds_all_sound(landfall: Call) -> None:
    ended = landfall("images", "verify", "--client", "demo", user="vera")
    assert (ended.code, ended.out) == (0, "3 pictures, all as published.\n")


def flipped(content: bytes) -> bytes:
    return content[:-20] + bytes(255 - byte for byte in content[-20:-10]) + content[-10:]


def test_verify_names_each_damaged_or_missing_picture(landfall: Call, store: sqlite3.Connection) -> None:
    store.execute("DELETE FROM images WHERE id = ?", [IDS[0]])
    harmed = pybase64.b64encode(flipped(CONTENT[IDS[1]])).decode()
    store.execute("UPDATE images SET image = ? WHERE id = ?", [harmed, IDS[1]])
    ended = landfall("images", "verify", "--client", "demo")
    assert ended.code == 65
    first, second, *rest = ended.out.splitlines()
    assert first == f"{IDS[0]}  It is missing from the store."
    assert second.startswith(f"{IDS[1]}  ")
    assert "digest" in second
    assert rest[0] == "2 of 3 pictures damaged or missing."
    assert IDS[2] not in ended.out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (flipped(CONTENT[IDS[0]]), "another picture"),
        (gray_jpeg(200), "another picture"),
    ],
)
def test_verify_is_not_content_with_a_digest_that_was_changed_as_well(
    landfall: Call, store: sqlite3.Connection, content: bytes, says: str
) -> None:
    values = [pybase64.b64encode(content).decode(), hashlib.sha256(content).hexdigest(), IDS[0]]
    store.execute("UPDATE images SET image = ?, digest = ? WHERE id = ?", values)
    ended = landfall("images", "verify", "--client", "demo")
    assert ended.code == 65
    assert says in ended.out


def test_get_refuses_to_write_a_damaged_picture(landfall: Call, house: Path, store: sqlite3.Connection) -> None:
    store.execute("UPDATE images SET image = 'AAAA' WHERE id = ?", [IDS[0]])
    assert landfall("images", "get", IDS[0], "--client", "demo").code == 65
    assert not list(house.glob("*.jpg"))


@pytest.mark.parametrize("arguments", [["list"], ["get", IDS[0]], ["verify"]])
@pytest.mark.parametrize("user", ["eve"])
def test_without_a_grant_it_is_a_denial(landfall: Call, arguments: list[str], user: str) -> None:
    ended = landfall("images", *arguments, "--client", "demo", user=user)
    assert (ended.code, ended.out) == (77, "")


def test_pictures_of_feeds_without_a_grant_are_not_there(landfall: Call) -> None:
    assert landfall("images", "get", IDS[0], "--client", "demo", user="sam").code == 66
    assert "0 pictures" in landfall("images", "verify", "--client", "demo", user="sam").out


def test_get_makes_no_directory(landfall: Call, house: Path) -> None:
    done = landfall("images", "get", IDS[1], "--client", "demo", "--output", house / "none" / "x.jpg")
    assert done.code == 66
    assert not (house / "none").exists()
