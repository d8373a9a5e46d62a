"""Which uploads are complete, and how a file is put into incoming."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conf.errors import AlreadyExists, NotFound, StorageError, UploadRefused
from targets.landing import Landing, Upload
from targets.landing import incoming as incoming_module
from targets.names import printable, safe
from tests.landings import client, files_below, incoming, landing_at


def named(landing: Landing) -> dict[str, Upload]:
    return {f"{upload.feed}/{upload.name}": upload for upload in landing.uploads()}


@pytest.mark.parametrize("name", [".hidden", "x.part", "x.filepart", "x.tmp", "X.TMP"])
@pytest.mark.parametrize("feed", ["photos", "side", "slow"])
def test_hidden_and_temporary_names_are_never_taken(
    tmp_path: Path, feed: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = landing_at(tmp_path)
    incoming(tmp_path, feed, name).write_bytes(b"x")
    incoming(tmp_path, feed, f"{name}.done").touch()
    later = datetime.now(UTC) + timedelta(days=1)
    monkeypatch.setattr(incoming_module, "now", lambda: later)
    assert "under way" in named(landing)[f"{feed}/{name}"].why
    assert incoming(tmp_path, feed, name).name not in {claim.name for claim in landing.claim()}
    assert incoming(tmp_path, feed, name).exists()


def test_a_renamed_file_is_complete_at_once(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    incoming(tmp_path, "photos", "x").write_bytes(b"12345")
    assert landing.uploads() == [Upload("photos", "x", 5, complete=True, why="")]


def test_a_sidecar_completes_its_file_and_is_taken_with_it(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    directory = incoming(tmp_path, "side")
    (directory / "x").write_bytes(b"x")
    (directory / "y.done").touch()
    assert not list(landing.claim())
    assert named(landing)["side/x"].why == "It waits for x.done."
    assert "y, is not there" in named(landing)["side/y.done"].why
    (directory / "x.done").touch()
    assert named(landing)["side/x"].complete
    assert [claim.name for claim in landing.claim()] == ["x"]
    assert files_below(directory) == {"y.done"}


def test_a_file_settles_from_its_last_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    landing = landing_at(tmp_path)
    file = incoming(tmp_path, "slow", "x")
    file.write_bytes(b"x")
    os.utime(file, (0, 0))  # a client may set mtime, but not ctime
    changed = datetime.fromtimestamp(file.stat().st_ctime, UTC)
    monkeypatch.setattr(incoming_module, "now", lambda: changed + timedelta(seconds=9.9))
    assert named(landing)["slow/x"].why == "It changed less than 10 seconds ago."
    assert not list(landing.claim())
    monkeypatch.setattr(incoming_module, "now", lambda: changed + timedelta(seconds=10.001))
    assert [claim.name for claim in landing.claim()] == ["x"]


def test_directories_are_left_and_told_of(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    incoming(tmp_path, "photos", "more").mkdir()
    incoming(tmp_path, "photos", "more", "x").write_bytes(b"x")
    assert not list(landing.claim())
    assert "directory" in named(landing)["photos/more"].why


def test_uploads_are_taken_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    names = ["c", "a", "b"]
    last = -1
    for name in names:
        file = incoming(tmp_path, "photos", name)
        file.write_bytes(name.encode())
        while file.stat().st_ctime_ns <= last:  # the clock of a file system may be coarse
            file.touch()
        last = file.stat().st_ctime_ns
    claims = list(landing.claim())
    assert [claim.name for claim in claims] == names
    assert sorted(claim.upload for claim in claims) == [claim.upload for claim in claims]


def test_only_the_feeds_asked_for_are_taken(tmp_path: Path) -> None:
    config = client(a={}, b={})
    landing = landing_at(tmp_path, config)
    for place in ("a/x", "b/x", "astray"):
        incoming(tmp_path, place).write_bytes(b"x")
    assert [claim.feed for claim in landing.claim({"b"})] == ["b"]
    assert files_below(incoming(tmp_path)) == {"a/x", "astray"}
    assert [claim.feed for claim in landing.claim({"a"})] == ["a"]


@settings(max_examples=40, deadline=None)
@given(
    st.sets(
        st.binary(min_size=1, max_size=80).filter(lambda name: not {0, 47} & set(name) and name not in (b".", b"..")),
        min_size=1,
        max_size=4,
    )
)
def test_any_name_is_kept_and_told_apart(names: set[bytes]) -> None:
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        landing = landing_at(root)
        for name in names:
            # a name may begin like an archive
            incoming(root, "photos", os.fsdecode(name)).write_bytes(b"=" + name)
        claims = list(landing.claim())
        hidden = {name for name in names if incoming_module._is_temporary(os.fsdecode(name))}
        assert {claim.data.read_bytes()[1:] for claim in claims} == names - hidden
        for claim in claims:
            assert claim.name == printable(os.fsdecode(claim.data.read_bytes()[1:]))
            assert claim.name.isprintable()
            claim.name.encode()
        assert len({claim.name for claim in claims}) == len(claims)


@given(st.binary(max_size=300))
def test_names_of_our_files_are_safe(raw: bytes) -> None:
    name = safe(printable(os.fsdecode(raw)))
    assert 1 <= len(name) <= 100
    assert name[0] not in ".-"
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def test_put_is_an_upload(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    source = tmp_path / "list.txt"
    source.write_bytes(b"x" * 3_000_000)
    assert landing.put("photos", source) == incoming(tmp_path, "photos", "list.txt")
    landing.put("side", source)
    assert files_below(incoming(tmp_path)) == {"photos/list.txt", "side/list.txt", "side/list.txt.done"}
    assert all(upload.complete for upload in landing.uploads())


def test_put_replaces_nothing(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    source = tmp_path / "list.txt"
    source.write_bytes(b"first")
    landing.put("photos", source)
    source.write_bytes(b"second")
    with pytest.raises(AlreadyExists, match=r"not replaced.*another name"):
        landing.put("photos", source)
    assert incoming(tmp_path, "photos", "list.txt").read_bytes() == b"first"
    assert files_below(incoming(tmp_path)) == {"photos/list.txt"}


def test_put_says_what_it_cannot_put(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    for name in ("x.tmp", "x.done"):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(UploadRefused, match="never taken"):
            landing.put("side", tmp_path / name)
    with pytest.raises(NotFound, match="photos, side, slow"):
        landing.put("fotos", tmp_path / "x.done")
    with pytest.raises(NotFound, match="absent"):
        landing.put("photos", tmp_path / "absent")
    with pytest.raises(StorageError):
        landing.put("photos", tmp_path)
    assert not landing.uploads()


def test_new_directories_are_as_open_as_the_operator_made_their_parents(tmp_path: Path) -> None:
    incoming(tmp_path).mkdir(parents=True)
    incoming(tmp_path).chmod(0o2775)
    if os.geteuid() == 0:
        os.chown(incoming(tmp_path), 1234, 1235)
    landing_at(tmp_path)
    made, above = incoming(tmp_path, "photos").stat(), incoming(tmp_path).stat()
    assert (made.st_mode, made.st_uid, made.st_gid) == (above.st_mode, above.st_uid, above.st_gid)
