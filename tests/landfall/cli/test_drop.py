from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.landfall.cli.conftest import Ended
from tests.landfall.cli.lake import incoming

Call = Callable[..., Ended]


@pytest.fixture
def file(house: Path) -> Path:
    made = house / "catalogue.txt"
    made.write_text("http://127.0.0.1:8200/40/30\n")
    return made


def test_files_arrive_whole_under_their_name(landfall: Call, house: Path, file: Path) -> None:
    other = house / "other.txt"
    other.write_text("x\n")
    ended = landfall("drop", "demo", "photos", file, other)
    assert ended.code == 0
    assert "Dropped catalogue.txt (28 bytes) into demo/photos." in ended.out
    assert {one.name for one in incoming(house).iterdir()} == {"catalogue.txt", "other.txt"}
    assert (incoming(house) / "catalogue.txt").read_bytes() == file.read_bytes()


def test_a_feed_with_sidecars_gets_one(landfall: Call, house: Path, file: Path) -> None:
    assert landfall("drop", "demo", "scans", file).code == 0
    assert (incoming(house, "scans") / "catalogue.txt.done").exists()


@pytest.mark.parametrize("user", ["vera", "sam", "eve"])
def test_only_operators_drop(landfall: Call, house: Path, file: Path, user: str) -> None:
    assert landfall("drop", "demo", "photos", file, user=user).code == 77
    assert not (house / "home" / "landing").exists()


@pytest.mark.parametrize(
    ("feed", "name", "code", "says"),
    [
        ("nothing", "catalogue.txt", 66, "has no feed nothing"),
        ("photos", "missing.txt", 66, "missing.txt"),
        ("photos", ".hidden", 65, ".hidden"),
    ],
)
def test_what_cannot_be_dropped_is_a_sentence(
    landfall: Call, house: Path, file: Path, feed: str, name: str, code: int, says: str
) -> None:
    (house / ".hidden").write_text("x")
    ended = landfall("drop", "demo", feed, house / name)
    assert ended.code == code
    assert says in ended.err
    assert "Traceback" not in ended.err


def test_an_upload_that_waits_is_not_replaced(landfall: Call, house: Path, file: Path) -> None:
    landfall("drop", "demo", "photos", file)
    file.write_text("other\n")
    assert landfall("drop", "demo", "photos", file).code == 73
    assert (incoming(house) / "catalogue.txt").read_text() != "other\n"
