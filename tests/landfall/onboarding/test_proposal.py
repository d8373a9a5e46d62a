"""What is proposed of a sample, and that the counts told with it are those of the rows."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from conf.client import ClientConfig
from conf.errors import LandfallError
from conf.feeds import RecordsFeed
from conf.settings import load_settings
from landfall.onboarding import toml
from landfall.onboarding.proposal import Proposal, proposal
from landfall.onboarding.sample import read_sample

HEADER = ["Order ID", "Country", "Qty", "Unit Price", "Ordered on", "CreatedAt", "Comment", "Gift?", "ZIP", "line"]


def rows(count: int = 400) -> list[list[str]]:
    made = random.Random(7)
    return [
        [
            f"ab{100_000 + at}",
            made.choice(["DE", "FR", "UK"]),
            str(made.randint(1, 9)),
            f"{made.random() * 100:.2f}",
            f"{made.randint(1, 28):02}.{made.randint(1, 12):02}.2025",
            f"2025-{made.randint(1, 12):02}-{made.randint(1, 28):02}T10:00:0{made.randint(0, 9)}",
            made.choice(["so; so", "two\nlines", 'a "word"']) + str(made.random()),
            made.choice(["true", "false"]),
            "" if made.random() < 0.1 else f"{made.randint(0, 99_999):05}",
            str(at % 7),
        ]
        for at in range(count)
    ]


def written(header: list[str] | None, body: list[list[str]], delimiter: str = ",", quote: str = '"') -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, quotechar=quote, lineterminator="\n")
    writer.writerows([header] if header else [])
    writer.writerows(body)
    return file.getvalue()


def proposed(tmp_path: Path, content: bytes | str, most: int = 200_000) -> Proposal:
    file = tmp_path / "sample"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with read_sample(file, load_settings(), most) as sample:
        return proposal(sample)


def feed(found: Proposal) -> RecordsFeed:
    """The feed as the client's file says it."""
    text = toml.text([toml.table("", {"client": "acme"}), *found.tables("orders")])
    made = ClientConfig.model_validate(tomllib.loads(text)).feeds["orders"]
    assert isinstance(made, RecordsFeed)
    return made


def columns(found: Proposal) -> dict[str, dict[str, Any]]:
    return {column["name"]: {key: value for key, value in column.items() if key != "name"} for column in found.columns}


@pytest.mark.parametrize(("delimiter", "quote"), [(",", '"'), (";", '"'), ("\t", '"'), ("|", "'")])
def test_a_csv(tmp_path: Path, delimiter: str, quote: str) -> None:
    found = proposed(tmp_path, written(HEADER, rows(), delimiter, quote))
    made = feed(found)
    assert (made.delimiter, made.quote, made.encoding, made.header) == (delimiter, quote, "utf-8", True)
    assert (made.key, made.on_redrop) == (("order_id",), "append")
    assert (made.partition_by, made.max_rejected) == ("ordered_on", 0.05)
    assert columns(found) == {
        "order_id": {"from": "Order ID", "required": True, "pattern": "[a-z]{2}[0-9]{6}"},
        "country": {"from": "Country", "required": True, "one_of": ["DE", "FR", "UK"], "dimension": True},
        "qty": {"from": "Qty", "type": "int", "required": True, "min": 0},
        "unit_price": {"from": "Unit Price", "type": "decimal(12,2)", "required": True, "min": 0},
        "ordered_on": {
            "from": "Ordered on",
            "type": "date",
            "format": "dd.MM.yyyy",
            "required": True,
            "not_in_future": True,
        },
        "created_at": {"from": "CreatedAt", "type": "timestamp", "required": True, "not_in_future": True},
        "comment": {"from": "Comment", "required": True},
        "gift": {"from": "Gift?", "type": "bool", "required": True},
        "zip": {"from": "ZIP", "pattern": "[0-9]{5}"},
        "line_value": {"from": "line", "type": "int", "required": True},
    }
    assert (found.rows, found.quarantined, found.duplicate, found.whole) == (400, 0, 0, True)
    assert not any(one.rejected for one in found.evidence)


def test_what_would_be_rejected_is_counted(tmp_path: Path) -> None:
    body = rows()
    body[3][0] = "??"
    body[5][3] = body[6][3] = "n.a."
    body[7][4] = "31.02.2025"
    body[9] = body[8]
    content = written(HEADER, body) + "too,few\n" + 'ab1,"never ends\n'
    found = proposed(tmp_path, content)
    told = {(one.rule.column, one.rule.what.split(" ")[0]): one.rejected for one in found.evidence if one.rejected}
    assert told == {
        ("order_id", "pattern"): 1,
        ("unit_price", "type"): 2,
        ("ordered_on", "type"): 1,
    }
    assert found.faults == {"csv.columns": 1, "csv.quote": 1}
    assert (found.rows, found.quarantined, found.duplicate) == (402, 6, 1)
    assert "2 of the sample's 402 rows rejected" in "".join(map("".join, found.tables("orders")))


def test_a_file_like_the_sample_is_not_held(tmp_path: Path) -> None:
    body = rows()
    for number in range(15):
        body[number][3] = "n.a."
        body[100 + number][4] = "31.02.2025"
    found = proposed(tmp_path, written(HEADER, body))
    assert (found.quarantined, feed(found).max_rejected) == (30, 0.15)


def test_what_a_later_file_means_is_told_of_what_the_feed_has(tmp_path: Path) -> None:
    told = "\n".join(next(iter(proposed(tmp_path, written(HEADER, rows())).tables("orders"))))
    assert '"upsert": of one order_id the record' in told
    assert '"replace_period": of one month of ordered_on the records' in told
    found = proposed(tmp_path, "a,b\n1,x\n2,y\n")
    told = "\n".join(next(iter(found.tables("orders"))))
    assert '"append"' in told
    assert "upsert" not in told
    assert "replace_period" not in told
    assert (feed(found).partition_by, feed(found).max_rejected) == (None, 1.0)


@pytest.mark.parametrize("choice", ["upsert", "replace_period"])
def test_each_choice_that_is_told_may_be_made(tmp_path: Path, choice: str) -> None:
    found = proposed(tmp_path, written(HEADER, rows()))
    lines = [line for table in found.tables("orders") for line in table]
    text = "\n".join(['client = "acme"', *lines]).replace('"append"\n', f'"{choice}"\n')
    assert ClientConfig.model_validate(tomllib.loads(text)).feeds["orders"].on_redrop == choice  # type: ignore[union-attr]


def test_a_time_that_may_be_missing_parts_no_table(tmp_path: Path) -> None:
    body = [[str(at), f"2025-01-{at % 28 + 1:02}" if at % 9 else "", f"2025-02-{at % 28 + 1:02}"] for at in range(90)]
    found = proposed(tmp_path, written(["id", "created_at", "due"], body))
    assert feed(found).partition_by == "due"
    found = proposed(tmp_path, written(["id", "due", "due_month"], [[one, day, "x"] for one, _, day in body]))
    assert feed(found).partition_by is None


def test_values_that_are_hardly_ever_seen_are_no_members(tmp_path: Path) -> None:
    body = [[str(at), "XX" if at == 7 else "DE" if at % 2 else "FR"] for at in range(2000)]
    found = proposed(tmp_path, written(["id", "country"], body))
    assert columns(found)["country"]["one_of"] == ["DE", "FR"]
    assert [(one.rejected, one.examples) for one in found.evidence if one.rejected] == [(1, ("XX",))]
    assert (found.quarantined, found.duplicate) == (1, 0)


def test_members_that_differ_in_case_are_one(tmp_path: Path) -> None:
    body = [[str(at), ("DE", "de", "FR")[at % 3]] for at in range(300)]
    found = proposed(tmp_path, written(["id", "country"], body))
    assert columns(found)["country"]["one_of"] == ["de", "fr"]
    assert feed(found).columns[1].clean == ("strip", "lower")
    assert found.quarantined == 0


def test_json_lines(tmp_path: Path) -> None:
    made = random.Random(5)
    lines = [
        {"id": at, "name": f"n{made.random()}", "price": made.randint(100, 900) / 4, "tags": ["a"], "ok": at % 2 == 0}
        for at in range(100)
    ]
    lines[50]["late"] = "2025-01-01"
    content = "\n".join(map(json.dumps, lines)) + "\n[1]\n{broken\n"
    found = proposed(tmp_path, content)
    assert feed(found).format == "jsonl"
    assert feed(found).key == ("id",)
    assert {name: column.get("type", "string") for name, column in columns(found).items()} == {
        "id": "int",
        "name": "string",
        "price": "decimal(12,2)",
        "tags": "string",
        "ok": "bool",
        "late": "date",
    }
    assert found.faults == {"json.malformed": 2}


def test_without_a_header_columns_stand_in_the_files_order(tmp_path: Path) -> None:
    found = proposed(tmp_path, written(None, rows()))
    assert feed(found).header is False
    assert [column.source for column in feed(found).columns] == [None] * 10
    assert found.rows == 400
    assert columns(found)["column_1"] == {"required": True, "pattern": "[a-z]{2}[0-9]{6}"}


@pytest.mark.parametrize("packed", ["gzip", "zip"])
def test_a_packed_file(tmp_path: Path, packed: str) -> None:
    plain = written(HEADER, rows()).encode()
    content = gzip.compress(plain)
    if packed == "zip":
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("orders.csv", plain)
        content = (tmp_path / "a.zip").read_bytes()
    assert proposed(tmp_path, content).rows == 400


@pytest.mark.parametrize(("encoding", "told"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("cp1252", "windows-1252")])
def test_the_encoding(tmp_path: Path, encoding: str, told: str) -> None:
    body = [[f"r{at}", "Käse für €5"] for at in range(50)]
    found = proposed(tmp_path, written(["id", "größe"], body).encode(encoding))
    assert feed(found).encoding == told
    assert [column.attribute for column in feed(found).columns] == ["id", "größe"]
    assert found.quarantined == 0


def test_some_damage_does_not_make_another_encoding(tmp_path: Path) -> None:
    lines = written(["id", "name"], [[f"r{at}", f"Käse {at}"] for at in range(50)]).encode().splitlines(keepends=True)
    lines[9] = lines[9].decode().encode("cp1252")
    found = proposed(tmp_path, b"".join(lines))
    assert feed(found).encoding == "utf-8"
    assert found.faults == {"line.encoding": 1}


def test_texts_that_mean_nothing(tmp_path: Path) -> None:
    body = [[str(at), "N/A" if at % 5 == 0 else str(at * 3), "-" if at % 2 else f"word {at}"] for at in range(100)]
    found = proposed(tmp_path, written(["id", "count", "note"], body))
    assert feed(found).nulls == ("N/A",)
    assert columns(found)["count"] == {"type": "int", "min": 0}


def test_a_pair_is_a_key_where_no_column_is(tmp_path: Path) -> None:
    body = [[f"o{at // 3}", str(at % 3 + 1), f"{at % 10}.50"] for at in range(300)]
    found = proposed(tmp_path, written(["order", "position", "price"], body))
    assert feed(found).key == ("order", "position")


def test_days_and_months_that_may_be_meant_either_way_are_told(tmp_path: Path) -> None:
    body = [[str(at), f"{at % 12 + 1:02}/{at % 11 + 1:02}/2025"] for at in range(60)]
    found = proposed(tmp_path, written(["id", "day_sent"], body))
    assert columns(found)["day_sent"]["format"] == "dd/MM/yyyy"
    assert "MM/dd/yyyy fits as well: see which is meant" in {one.rule.remark for one in found.evidence}


def test_times_as_spreadsheets_write_them(tmp_path: Path) -> None:
    body = [[str(at), f"{at % 12 + 1}/{at % 28 + 1}/2011 {at % 24}:{at % 60:02}"] for at in range(90)]
    found = proposed(tmp_path, written(["Invoice", "InvoiceDate"], body))
    assert columns(found)["invoice_date"]["format"] == "M/d/yyyy H:mm"
    assert found.quarantined == 0


def test_numbers_with_zeros_in_front_are_codes(tmp_path: Path) -> None:
    found = proposed(tmp_path, written(["id", "code"], [[f"x {at}", f"{at:04}"] for at in range(50)]))
    assert columns(found)["code"] == {"required": True, "pattern": "[0-9]{4}"}


def test_a_sample_is_read_so_far(tmp_path: Path) -> None:
    found = proposed(tmp_path, written(HEADER, rows()), most=100)
    assert (found.rows, found.whole) == (100, False)


def test_few_rows_prove_nothing(tmp_path: Path) -> None:
    found = proposed(tmp_path, "a,b\n1,x\n2,y\n")
    assert feed(found).key == ()
    assert columns(found) == {"a": {"type": "int", "required": True}, "b": {"required": True}}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "nothing but blank lines"),
        (b"\n \n", "nothing but blank lines"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"\x89PNG\0\0", "no text"),
        (b"a,b\n", "No line of the sample"),
        (b"{broken\n", "No line of the sample"),
    ],
)
def test_what_is_no_sample_is_a_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(LandfallError, match=says):
        proposed(tmp_path, content)
