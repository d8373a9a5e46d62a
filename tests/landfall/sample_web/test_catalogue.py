"""The sample catalogue."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from conf.rules import RULES
from landfall.sample_web import SampleWeb, catalogue
from landfall.sample_web.catalogue import DUPLICATE, KINDS, PASSING
from spark_jobs.web import retry
from spark_jobs.web.fetch import Request, WebPolicy, fetch_all

BASE = "http://127.0.0.1:8200"


def test_every_kind_of_fault_is_in_2000_lines_with_a_known_code() -> None:
    lines = catalogue(BASE, 2000, seed=3)
    codes = Counter(line.rule for line in lines)
    assert len(lines) == 2000
    assert set(codes) == {rule for rule, _ in KINDS.values()} | {"duplicate.in_drop"}
    assert set(codes) <= set(RULES)
    assert codes["ok"] > 1200


def test_the_web_answers_each_line_as_intended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "pause", lambda _: time.monotonic())
    with SampleWeb(seed=3) as web:
        here = f"127.0.0.1:{web.port}"
        policy = WebPolicy(sources=(here,), allow_addresses=(here,), attempts=2)
        lines = [line for line in catalogue(web.url, 1000, seed=3) if line.rule.startswith(("ok", "fetch.", "image."))]
        requests = [Request(0, at, line.content.decode().strip(), None, None) for at, line in enumerate(lines)]
        answers = {answer.request.line: answer for answer in fetch_all(requests, policy)}
    for at, line in enumerate(lines):
        assert answers[at].rule == (line.rule if line.rule.startswith("fetch.") else "ok"), (line, answers[at].message)


def test_passing_failures_stay_below_what_holds_a_drop() -> None:
    for count in (100, 500, 2000):
        lines = catalogue(BASE, count, seed=3)
        passing = [line for line in lines if line.rule in ("fetch.unavailable", "fetch.connection")]
        assert len(passing) <= count * 0.01


def test_a_seed_gives_one_catalogue() -> None:
    assert catalogue(BASE, 300, seed=3) == catalogue(BASE, 300, seed=3)
    assert catalogue(BASE, 300, seed=3) != catalogue(BASE, 300, seed=4)


def test_a_duplicate_follows_its_first_line_and_nothing_else_repeats() -> None:
    seen: set[bytes] = set()
    for line in catalogue(BASE, 2000, seed=3):
        key = line.content.strip().removesuffix(b"#again")
        if not line.rule.startswith("url.malformed"):
            assert (key in seen) == (line.rule == "duplicate.in_drop")
        seen.add(key)


def test_no_line_holds_a_line_end() -> None:
    assert not any(b"\n" in line.content or b"\r" in line.content for line in catalogue(BASE, 2000, seed=3))


@pytest.mark.parametrize("count", [0, 1, 2, 10, 60])
def test_small_catalogues_have_their_length(count: int) -> None:
    assert len(catalogue(BASE, count)) == count


def test_shares_are_what_was_asked_for() -> None:
    lines = catalogue(BASE, 100, faults={"404": 0.1, "503": 0.001, DUPLICATE: 0.2})
    assert Counter(line.rule for line in lines) == {
        "ok": 69,
        "fetch.status": 10,
        "fetch.unavailable": 1,
        "duplicate.in_drop": 20,
    }
    assert {line.rule for line in catalogue(BASE, 50, faults={})} == {"ok"}
    assert KINDS.keys() >= PASSING


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match="no kind sideways"):
        catalogue(BASE, 10, faults={"sideways": 0.5})
