"""Private files: what is refused, and that nothing is half there."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from auth.private import append_private, read_private, write_private
from conf.errors import AccessDenied, StorageError


@contextmanager
def _no_file_larger_than(size: int) -> Iterator[None]:
    """Writing beyond fails with EFBIG, as it does with ENOSPC on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_private_file_is_read(tmp_path: Path) -> None:
    write_private(tmp_path / "new" / "secret", b"data")
    assert read_private(tmp_path / "new" / "secret", 4) == b"data"
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    with pytest.raises(FileNotFoundError):
        read_private(tmp_path / "none", 4)


def test_what_is_no_private_file_is_refused(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", b"data")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name, told in (("link", "it is a link"), ("pipe", "not a regular file"), (".", "not a regular file")):
        with pytest.raises(AccessDenied, match=told):
            read_private(tmp_path / name, 100)
    with pytest.raises(AccessDenied, match="more than 3 bytes"):
        read_private(tmp_path / "secret", 3)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", b"data")
    os.chown(tmp_path / "secret", 65534, -1)
    with pytest.raises(AccessDenied, match="belongs to another user"):
        read_private(tmp_path / "secret", 100)


def test_a_write_that_fails_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", b"old")
    with _no_file_larger_than(10), pytest.raises(StorageError, match="cannot be written"):
        write_private(tmp_path / "secret", b"new" * 10)
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    assert (tmp_path / "secret").read_bytes() == b"old"


def test_a_line_that_was_cut_short_does_not_swallow_the_next(tmp_path: Path) -> None:
    log = tmp_path / "log"
    append_private(log, b"first\n")
    with _no_file_larger_than(9), pytest.raises(StorageError, match="cannot be written"):
        append_private(log, b"second\n")
    append_private(log, b"third\n")
    assert log.read_bytes() == b"first\nsec\nthird\n"
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_log_is_made_private_again_and_never_written_through_a_link(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch(mode=0o644)
    append_private(log, b"line\n")
    assert log.stat().st_mode & 0o777 == 0o600
    (tmp_path / "link").symlink_to(log)
    with pytest.raises(StorageError):
        append_private(tmp_path / "link", b"line\n")
    assert log.read_bytes() == b"line\n"
