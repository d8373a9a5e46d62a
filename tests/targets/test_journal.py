"""Reading a journal."""

from __future__ import annotations

from pathlib import Path

from targets.journal import Journal


def test_only_entries_that_name_what_is_asked_for_are_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    for drop in ("a1", "b2", "a1"):
        with journal.attempt(run="r", drop=drop, stage="land"):
            pass
    journal.run_ended("r")
    assert [entry.get("drop") for entry in journal.entries(naming=["a1", "c3"])] == ["a1"] * 4
    assert list(journal.entries(naming=[])) == []
    assert len(list(journal.entries())) == 7
