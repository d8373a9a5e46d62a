"""Answers: whole, once, and nowhere but in the client's outbox."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest

from conf.errors import StorageError
from targets.landing import Claim, Landing
from tests.landings import answer, files_below, incoming, landing_at, outbox


def claimed(root: Path, name: str = "my list.txt") -> tuple[Landing, Claim]:
    landing = landing_at(root)
    incoming(root, "photos", name).write_bytes(b"http://pictures.example/1\n")
    (claim,) = landing.claim()
    return landing, claim


def test_an_answer_is_receipt_and_rejects(tmp_path: Path) -> None:
    landing, claim = claimed(tmp_path)
    receipt = landing.acknowledge(claim, {"name": "Äpfel", "lines": 1}, BytesIO(b"url,_line\n"))
    name = f"my_list.txt.{claim.upload}"
    assert files_below(outbox(tmp_path)) == {f"photos/{name}.receipt.json", f"photos/{name}.rejects.csv"}
    assert receipt == outbox(tmp_path, "photos", claim.receipt_name)
    assert json.loads(receipt.read_bytes()) == {"name": "Äpfel", "lines": 1}
    assert outbox(tmp_path, "photos", claim.rejects_name).read_bytes() == b"url,_line\n"
    assert {path.stat().st_mode & 0o777 for path in outbox(tmp_path, "photos").iterdir()} == {0o640}
    assert files_below(tmp_path / ".claimed") == set()
    assert landing.claims() == []


def test_without_rejects_there_is_no_file_of_them(tmp_path: Path) -> None:
    landing, claim = claimed(tmp_path)
    landing.acknowledge(claim, {}, None)
    assert files_below(outbox(tmp_path)) == {f"photos/{claim.receipt_name}"}


def test_an_answer_given_is_not_given_again(tmp_path: Path) -> None:
    landing, claim = claimed(tmp_path)
    receipt = landing.acknowledge(claim, {"said": "first"}, None)
    assert landing.acknowledge(claim, {"said": "second"}, None) == receipt
    assert json.loads(receipt.read_bytes()) == {"said": "first"}
    receipt.unlink()  # the client has read it
    landing.acknowledge(claim, {"said": "third"}, None)
    assert files_below(outbox(tmp_path)) == set()


def test_an_answer_that_fails_half_way_is_made_anew(tmp_path: Path) -> None:
    landing, claim = claimed(tmp_path)

    class Broken(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(StorageError, match="run again"):
        landing.acknowledge(claim, {}, Broken())
    assert files_below(outbox(tmp_path)) == set()
    assert list(landing.claim()) == [claim]
    landing.acknowledge(claim, {}, BytesIO(b"whole"))
    assert outbox(tmp_path, "photos", claim.rejects_name).read_bytes() == b"whole"


def test_what_a_killed_answer_left_is_not_kept(tmp_path: Path) -> None:
    landing, claim = claimed(tmp_path)
    landing.acknowledge(claim, {}, None)
    incoming(tmp_path, "photos", "none").touch()
    (refused,) = landing.claim()
    (refused.data.parent / ".tmp-0123").write_bytes(b"half a receipt")
    answer(landing, refused)
    assert not [path for path in files_below(tmp_path / ".refused") if ".tmp-" in path]


def test_an_outbox_replaced_by_a_link_is_not_followed(tmp_path: Path) -> None:
    landing, claim = claimed(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    outbox(tmp_path, "photos").rmdir()
    outbox(tmp_path, "photos").symlink_to(elsewhere)
    with pytest.raises(StorageError, match="Something else stands where this directory"):
        landing.acknowledge(claim, {"said": "first"}, None)
    assert files_below(elsewhere) == set()
    outbox(tmp_path, "photos").unlink()
    assert not list(landing.claim())
    assert json.loads(outbox(tmp_path, "photos", claim.receipt_name).read_bytes()) == {"said": "first"}


def test_an_outbox_that_is_gone_is_made_again(tmp_path: Path) -> None:
    landing, claim = claimed(tmp_path)
    outbox(tmp_path, "photos").rmdir()
    assert landing.acknowledge(claim, {}, None).exists()


@pytest.mark.parametrize("name", ["-rf", "a\nb", "..x" * 30 + "y", "=cmd()", "ä.txt"])
def test_files_in_the_outbox_have_safe_names(tmp_path: Path, name: str) -> None:
    landing, claim = claimed(tmp_path, name if not name.startswith(".") else f"x{name}")
    receipt = landing.acknowledge(claim, {}, None)
    assert receipt.exists()
    assert receipt.name[0] not in ".-="
    assert receipt.name.isascii()
    assert receipt.name.isprintable()
