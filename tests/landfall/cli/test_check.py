from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from conf.rules import RULES
from landfall.sample_web import catalogue
from tests.landfall.cli.conftest import Ended

Call = Callable[..., Ended]
GOOD = "http://127.0.0.1:8200/40/30\n"


@pytest.fixture
def file(house: Path) -> Path:
    return house / "catalogue.txt"


def foreseen(rule: str) -> str:
    """The rule that a line has before anybody asks the web."""
    return rule if RULES[rule].family in ("line", "url", "duplicate") else "ok"


def test_every_line_of_the_faults_catalogue_is_told_as_it_is_meant(landfall: Call, file: Path) -> None:
    lines = catalogue("http://127.0.0.1:8200", 400, seed=5)
    file.write_bytes(b"".join(line.content + b"\n" for line in lines))
    ended = landfall("check", "demo", "photos", file, "--all", "--format", "csv", user="vera")
    assert ended.code == 1
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert [row["rule"] for row in rows] == [foreseen(line.rule) for line in lines]
    assert [int(row["line"]) for row in rows] == list(range(1, 401))


def test_the_summary_counts_by_rule_and_shows_the_first_lines_and_what_to_do(landfall: Call, file: Path) -> None:
    file.write_text(GOOD + "ftp://a/1/1\n" * 5 + "\n" + GOOD)
    ended = landfall("check", "demo", "photos", file)
    assert ended.code == 1
    assert "7 lines: 1 to be fetched, 5 would be quarantined, 1 duplicate; 1 blank line not counted" in ended.out
    assert ended.out.count("begins with ftp") == 3
    assert RULES["url.scheme"].fix in ended.out
    assert "The same as line 1." in ended.out


def test_mended_rejects_are_what_a_run_takes_them_for_whatever_the_feed_is(
    landfall: Call, file: Path, house: Path
) -> None:
    client = house / "conf/clients/demo.toml"
    client.write_text(client.read_text().replace('size = "/', 'format = "text"\nsize = "/'))
    file.write_text(f"url,_line,_rule,_message,_fix,_drop\n{GOOD.strip()},3,url.scheme,,,{'a' * 64}\n")
    ended = landfall("check", "demo", "photos", file, "--format", "json")
    assert (ended.code, json.loads(ended.out)["ok"], json.loads(ended.out)["lines"]) == (0, 1, 1)


def test_the_summary_for_a_script(landfall: Call, file: Path) -> None:
    file.write_text(GOOD + "ftp://a/1/1\n" + GOOD)
    found = json.loads(landfall("check", "demo", "photos", file, "--format", "json").out)
    assert {name: found[name] for name in ("lines", "ok", "quarantined", "duplicate", "blank")} == {
        "lines": 3,
        "ok": 1,
        "quarantined": 1,
        "duplicate": 1,
        "blank": 0,
    }
    assert {rule["rule"]: rule["first"][0]["line"] for rule in found["rules"]} == {
        "ok": 1,
        "url.scheme": 2,
        "duplicate.in_drop": 3,
    }


@pytest.mark.parametrize("content", [GOOD, GOOD + GOOD])
def test_nothing_to_mend_ends_with_0(landfall: Call, file: Path, content: str) -> None:
    file.write_text(content)
    assert landfall("check", "demo", "photos", file).code == 0


def test_csv_and_json_lines(landfall: Call, file: Path) -> None:
    file.write_text(f"name,url\na,{GOOD}b,\n")
    assert "csv.no_url" in landfall("check", "demo", "photos", file, "--all").out
    file.write_text(json.dumps({"url": GOOD.strip()}) + "\n{\n")
    assert "json.malformed" in landfall("check", "demo", "photos", file, "--all").out


def test_archives_are_opened(landfall: Call, house: Path, file: Path) -> None:
    file.write_bytes(gzip.compress(GOOD.encode() * 2))
    rows = landfall("check", "demo", "photos", file, "--all", "--format", "json").out.splitlines()
    assert [json.loads(row)["rule"] for row in rows] == ["ok", "duplicate.in_drop"]
    packed = house / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", GOOD)
        archive.writestr("b.txt", "ftp://x/1/1\n" + GOOD)
    ended = landfall("check", "demo", "photos", packed)
    assert "1:1" in ended.out
    assert "The same as line 0:1." in ended.out


@pytest.mark.parametrize(
    ("content", "rule"), [(b"", "no bytes"), (gzip.compress(GOOD.encode())[:-6], "cannot be opened")]
)
def test_a_file_that_would_be_refused_ends_with_65(landfall: Call, file: Path, content: bytes, rule: str) -> None:
    file.write_bytes(content)
    ended = landfall("check", "demo", "photos", file)
    assert ended.code == 65
    assert rule in ended.err


def test_nothing_is_landed(landfall: Call, house: Path, file: Path) -> None:
    file.write_text(GOOD)
    landfall("check", "demo", "photos", file)
    assert {one.name for one in (house / "home").iterdir()} == {"directory.json", "logs"}


def test_hostile_bytes_do_not_reach_the_terminal(landfall: Call, file: Path) -> None:
    file.write_bytes(b"http://127.0.0.1:8200/\x1b[2J/30\n\x1b]0;x\x07://a\n[red]\n")
    for arguments in ([], ["--all"], ["--all", "--format", "csv"], ["--all", "--format", "json"]):
        assert "\x1b" not in landfall("check", "demo", "photos", file, *arguments).out


@pytest.mark.parametrize(("user", "feed", "code"), [("eve", "photos", 77), ("sam", "photos", 77), ("sam", "scans", 0)])
def test_a_viewer_of_the_feed_may_check(landfall: Call, file: Path, user: str, feed: str, code: int) -> None:
    file.write_text(GOOD)
    assert landfall("check", "demo", feed, file, user=user).code == code


@pytest.mark.parametrize(("feed", "name"), [("nothing", "catalogue.txt"), ("photos", "missing.txt")])
def test_what_is_not_there_ends_with_66(landfall: Call, file: Path, feed: str, name: str) -> None:
    file.write_text(GOOD)
    assert landfall("check", "demo", feed, file.with_name(name)).code == 66


def test_many_lines_are_told_apart_across_ranges(landfall: Call, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_LANDING__RANGE_BYTES", "1000")
    lines = [f"http://127.0.0.1:8200/40/{30 + number % 500}" for number in range(2000)]
    file.write_text("".join(f"{line}\n" for line in lines))
    rows = landfall("check", "demo", "photos", file, "--all", "--format", "json").out.splitlines()
    assert Counter(json.loads(row)["outcome"] for row in rows) == {"ok": 500, "duplicate": 1500}
    assert [json.loads(row)["line"] for row in rows] == list(range(1, 2001))
