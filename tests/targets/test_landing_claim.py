"""What is claimed, what is refused, and a client that does anything at any instant."""

from __future__ import annotations

import gzip
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conf.errors import NotFound, StorageError
from targets import clock
from targets.landing import Claim, Landing, claiming, intake
from targets.register import identity
from tests.landings import CONFIG, LIMITS, answer, client, files_below, incoming, landing_at, outbox

CONTENT = b"http://pictures.example/1\n"


def only(landing: Landing) -> Claim:
    (claim,) = landing.claim()
    return claim


@contextmanager
def client_acts(before: Callable[[], Any] | None = None, after: Callable[[], Any] | None = None) -> Iterator[None]:
    """A client that is quick: it acts just before or after the rename that takes its file away."""
    rename = os.rename

    def raced(source: Any, goal: Any, **named: Any) -> None:
        if "src_dir_fd" not in named:
            return rename(source, goal, **named)
        if before:
            before()
        rename(source, goal, **named)
        if after:
            after()
        return None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "rename", raced)
        yield


def test_a_claim_says_whose_upload_it_is(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    incoming(tmp_path, "photos", "list.txt").write_bytes(CONTENT)
    claim = only(landing)
    digest = identity("demo", "photos")
    digest.update(CONTENT)
    assert (claim.feed, claim.name, claim.bytes, claim.drop) == ("photos", "list.txt", len(CONTENT), digest.hexdigest())
    assert claim.refused is None
    assert claim.data.read_bytes() == CONTENT
    assert claim.data.stat().st_mode & 0o777 == 0o600
    assert files_below(incoming(tmp_path)) == set()
    assert landing.claims() == [claim]
    assert list(landing.claim()) == [claim]
    assert landing.data_of("photos", digest.hexdigest()) == claim.data
    for feed, drop in (("side", digest.hexdigest()), ("photos", "0" * 64)):
        with pytest.raises(NotFound, match="send the file again"):
            landing.data_of(feed, drop)


def test_the_same_bytes_again_are_another_upload_of_the_same_drop(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    for name in ("a", "b"):
        incoming(tmp_path, "photos", name).write_bytes(CONTENT)
    first, second = landing.claim()
    assert first.drop == second.drop
    assert first.upload < second.upload


def _hard_link(file: Path) -> None:
    (file.parent / ".other").write_bytes(b"x")
    os.link(file.parent / ".other", file)


def _socket(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made, pytest.MonkeyPatch.context() as patch:
        patch.chdir(file.parent)  # such a path may have 108 bytes
        made.bind(file.name)


def _zeros(file: Path) -> None:
    with file.open("wb") as made:
        made.truncate(LIMITS.max_upload_bytes + 1)


REFUSED: dict[str, tuple[Callable[[Path], Any], str, str]] = {
    "empty": (lambda file: file.touch(), "upload.empty", "no bytes"),
    "symbolic link": (lambda file: file.symlink_to("/etc/passwd"), "upload.not_a_file", "symbolic link"),
    "pipe": (os.mkfifo, "upload.not_a_file", "named pipe"),
    "socket": (_socket, "upload.not_a_file", "socket"),
    "hard link": (_hard_link, "upload.linked", "one link"),
    "too large": (_zeros, "upload.too_large", "1048576"),
    "empty gzip": (lambda file: file.write_bytes(gzip.compress(b"")), "upload.empty", "no bytes"),
    "damaged": (lambda file: file.write_bytes(gzip.compress(CONTENT)[:-1]), "upload.archive_damaged", "too early"),
    "nested": (lambda file: file.write_bytes(gzip.compress(gzip.compress(b"x"))), "upload.archive_nested", "itself"),
    "bomb": (lambda file: file.write_bytes(gzip.compress(bytes(20 << 20))), "upload.archive_bomb", "200 times"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_taken_is_refused_and_kept(tmp_path: Path, kind: str) -> None:
    make, code, message = REFUSED[kind]
    landing = landing_at(tmp_path)
    make(incoming(tmp_path, "photos", "x"))
    size = incoming(tmp_path, "photos", "x").lstat().st_size
    claim = only(landing)
    assert claim.refused is not None
    assert claim.refused.code == code
    assert message in claim.refused.what
    assert claim.refused.fix
    assert (claim.drop, claim.bytes, claim.data.exists()) == (None, size, False)
    assert landing.claims()[0].refused is not None
    assert answer(landing, claim).parent == outbox(tmp_path, "photos")
    assert files_below(tmp_path / ".claimed") == set()
    assert files_below(tmp_path / ".refused") == {
        f"demo/photos/{claim.upload}/{name}" for name in ("file", "upload.json", "refused.json")
    }
    assert not list(landing.claim())


@pytest.mark.parametrize("place", ["astray", "fotos/x"])
def test_what_lies_in_no_feed_is_refused(tmp_path: Path, place: str) -> None:
    landing = landing_at(tmp_path)
    incoming(tmp_path, "fotos").mkdir()
    incoming(tmp_path, place).write_bytes(b"x")
    claim = only(landing)
    assert (claim.feed, claim.name) == ("", place)
    assert claim.refused is not None
    assert claim.refused.code == "upload.feed_unknown"
    assert "photos/, side/, slow/" in claim.refused.fix
    assert answer(landing, claim).parent == outbox(tmp_path)


def test_a_file_that_may_not_be_read_is_refused() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can act for two users")
    nobody = 65534
    root = Path(tempfile.mkdtemp())
    try:
        os.chown(root, nobody, nobody)
        os.seteuid(nobody)
        landing = landing_at(root)
        os.seteuid(0)
        incoming(root, "photos", "x").write_bytes(b"x")
        incoming(root, "photos", "x").chmod(0o600)
        os.seteuid(nobody)
        claim = only(landing)
        assert claim.refused is not None
        assert claim.refused.code == "upload.unreadable"
    finally:
        os.seteuid(0)
        shutil.rmtree(root)


def test_a_feed_replaced_by_a_link_is_not_followed(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "secret").write_bytes(b"another's")
    incoming(tmp_path, "photos").rmdir()
    incoming(tmp_path, "photos").symlink_to(elsewhere)
    with pytest.raises(StorageError, match="Something else stands"):
        landing.put("photos", elsewhere / "secret")
    claim = only(landing)
    assert claim.refused is not None
    assert (claim.name, claim.refused.code) == ("photos", "upload.not_a_file")
    assert files_below(elsewhere) == {"secret"}


def test_a_feed_replaced_by_a_link_during_the_claim_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = landing_at(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "x").write_bytes(b"another's")
    incoming(tmp_path, "photos", "x").write_bytes(CONTENT)

    def raced() -> Any:
        shutil.rmtree(incoming(tmp_path, "photos"))
        incoming(tmp_path, "photos").symlink_to(elsewhere)
        return clock.now()

    monkeypatch.setattr(claiming, "now", raced)
    assert not list(landing.claim())
    assert files_below(elsewhere) == {"x"}
    assert files_below(tmp_path / ".claimed") == set()


def test_a_file_taken_back_is_no_claim(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    file = incoming(tmp_path, "photos", "x")
    file.write_bytes(CONTENT)
    with client_acts(before=file.unlink):
        assert not list(landing.claim())
    assert list((tmp_path / ".claimed/demo/photos").iterdir()) == []


def test_a_file_renamed_over_before_it_is_taken_is_the_new_one(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    file, newer = incoming(tmp_path, "photos", "x"), incoming(tmp_path, "photos", "x.part")
    file.write_bytes(CONTENT)
    newer.write_bytes(b"newer")
    with client_acts(before=lambda: newer.rename(file)):
        assert only(landing).data.read_bytes() == b"newer"
    assert files_below(incoming(tmp_path)) == set()


def test_a_file_of_the_same_name_after_it_is_taken_is_another_upload(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    file = incoming(tmp_path, "photos", "x")
    file.write_bytes(CONTENT)
    with client_acts(after=lambda: file.write_bytes(b"newer")):
        assert only(landing).data.read_bytes() == CONTENT
    assert [claim.data.read_bytes() for claim in landing.claim()] == [CONTENT, b"newer"]


def test_a_file_replaced_by_a_directory_is_refused(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    file = incoming(tmp_path, "photos", "x")
    file.write_bytes(CONTENT)

    def replaced() -> None:
        file.unlink()
        file.mkdir()
        (file / "inside").write_bytes(b"x")

    with client_acts(before=replaced):
        claim = only(landing)
    assert claim.refused is not None
    assert "directory" in claim.refused.what
    answer(landing, claim)
    assert (tmp_path / ".refused/demo/photos" / claim.upload / "file/inside").exists()


def test_a_client_that_writes_on_changes_nothing_of_ours(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    with incoming(tmp_path, "photos", "x").open("wb", buffering=0) as kept_open:
        kept_open.write(CONTENT)
        claim = only(landing)
        kept_open.write(b"more")
        assert claim.data.read_bytes() == CONTENT


@pytest.mark.parametrize(("more", "code"), [(1, "upload.changed"), (2 << 20, "upload.too_large")])
def test_a_file_that_grows_while_it_is_copied_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int, code: str
) -> None:
    landing = landing_at(tmp_path)
    read = os.read
    monkeypatch.setattr(intake, "_PIECE", 4096)
    with incoming(tmp_path, "photos", "x").open("wb", buffering=0) as kept_open:
        kept_open.write(CONTENT * 1000)

        def raced(descriptor: int, size: int) -> bytes:
            nonlocal more
            kept_open.write(bytes(more))
            more = 0
            return read(descriptor, size)

        monkeypatch.setattr(os, "read", raced)
        claim = only(landing)
    assert claim.refused is not None
    assert claim.refused.code == code
    assert not claim.data.exists()


def test_a_file_written_over_while_it_is_copied_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    landing = landing_at(tmp_path)
    file = incoming(tmp_path, "photos", "x")
    read = os.read
    with file.open("wb", buffering=0) as kept_open:
        kept_open.write(CONTENT)
        os.utime(file, (0, 0))

        def raced(descriptor: int, size: int) -> bytes:
            os.pwrite(kept_open.fileno(), b"HTTP", 0)
            return read(descriptor, size)

        monkeypatch.setattr(os, "read", raced)
        claim = only(landing)
    assert claim.refused is not None
    assert claim.refused.code == "upload.changed"


def test_claims_of_a_feed_configured_no_more_wait(tmp_path: Path) -> None:
    landing = landing_at(tmp_path)
    incoming(tmp_path, "photos", "x").write_bytes(CONTENT)
    claim = only(landing)
    without = landing_at(tmp_path, client(side={}))
    assert not list(without.claim())
    assert without.claims() == [claim]
    assert list(landing_at(tmp_path, CONFIG).claim()) == [claim]


def test_a_full_disk_is_a_sentence_and_the_claim_goes_on_after_space_is_made(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "landing", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root, with the right to mount, can make a small disk")
    try:
        landing = landing_at(disk)
        content = os.urandom(300_000)
        incoming(disk, "photos", "x").write_bytes(content)
        for _ in range(2):
            with pytest.raises(StorageError, match="Make space on the disk and run again"):
                list(landing.claim())
        assert not list(disk.rglob("data"))
        subprocess.run(["mount", "-o", "remount,size=2m", disk], check=True)
        assert only(landing).data.read_bytes() == content
    finally:
        subprocess.run(["umount", disk], check=True)
