"""OpenLineage events of a run, in a file and at an end point; and that no end point fails or holds a run."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from conf.errors import ConfigError, DropHeld
from conf.settings import Settings
from pipelines.openlineage import Traffic
from pipelines.telling_lineage import flush, told
from targets.dataset import Dataset, Manifest, staging
from targets.flock import HeldByKernel
from targets.local import LocalFileSystem
from targets.runlog import RunLog
from tests.installation import Installation

TRAFFIC = Traffic("demo/photos/load", {"demo/photos/validate": "b1"}, "demo/photos/load")


class EndPoint:
    """An end point that keeps what it is sent, or answers as it is told to."""

    def __init__(self, status: int = 200) -> None:
        self.events: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        keep = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                keep.events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                keep.tokens.append(self.headers["Authorization"])
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/api/v1/lineage"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> EndPoint:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """An end point that takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@pytest.fixture
def log(tmp_path: Path) -> RunLog:
    return RunLog(str(tmp_path / "run.jsonl"))


def lost(log: RunLog) -> list[str]:
    file = Path(log.path)
    entries = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    assert {entry["level"] for entry in entries} <= {"warning"}
    return [entry["error"] for entry in entries if entry["event"] == "lineage event lost"]


@pytest.fixture
def made(tmp_path: Path) -> Dataset:
    """An output with a table."""
    fs = LocalFileSystem()
    output = Dataset(fs, str(tmp_path / "output"))
    with staging(output, str(tmp_path / "staging"), resumable=False, lease=HeldByKernel()) as place:
        fs.create(f"{place.path}/dim_host/part.parquet", b"12345")
        place.seal(
            Manifest(
                stage="load",
                build="b2",
                client="demo",
                feed="photos",
                drop="d",
                logic=1,
                settings={},
                inputs={},
                counts={},
                times={},
                versions={},
                tables={"dim_host": {"columns": [["host", "string"], ["price", "decimal(12,2)"]]}},
            )
        )
    return output


def tell(settings: Settings, log: RunLog, made: Dataset, error: Exception | None = None) -> None:
    with told(settings, "demo", "run-1", log, lambda: TRAFFIC, made):
        if error:
            raise error
    flush(settings)


def settings(**lineage: Any) -> Settings:
    return Settings(env="test", lineage=lineage)


def test_a_beginning_and_an_end(tmp_path: Path, log: RunLog, made: Dataset) -> None:
    file = tmp_path / "events" / "lineage.jsonl"
    with EndPoint() as end_point:
        tell(settings(file=str(file), url=end_point.url), log, made)
    events = [json.loads(line) for line in file.read_text().splitlines()]
    assert end_point.events == events
    start, complete = events
    assert [event["eventType"] for event in events] == ["START", "COMPLETE"]
    assert start["run"]["runId"] == complete["run"]["runId"]
    assert start["job"]["namespace"] == "landfall://test"
    assert start["job"]["name"] == "demo/photos/load"
    assert [(one["name"], one["facets"]["version"]["datasetVersion"]) for one in start["inputs"]] == [
        ("demo/photos/validate", "b1")
    ]
    output, table = complete["outputs"]
    assert output["facets"]["symlinks"]["identifiers"][0]["name"] == f"file://{made.path}"
    assert table["name"] == "demo/dim_host"
    assert table["facets"]["schema"]["fields"] == [
        {"name": "host", "type": "string"},
        {"name": "price", "type": "decimal"},
    ]
    statistics = table["outputFacets"]["outputStatistics"]
    assert (statistics["size"], statistics["fileCount"]) == (5, 1)
    assert lost(log) == []


def test_a_failure_says_why(tmp_path: Path, log: RunLog, made: Dataset) -> None:
    file = tmp_path / "lineage.jsonl"
    with pytest.raises(DropHeld):
        tell(settings(file=str(file)), log, made, DropHeld("It is held."))
    _, fail = [json.loads(line) for line in file.read_text().splitlines()]
    assert fail["eventType"] == "FAIL"
    assert fail["run"]["facets"]["errorMessage"]["message"] == "It is held."
    assert fail["outputs"] == []


def test_nobody_is_told_unless_a_setting_says_so(log: RunLog, made: Dataset) -> None:
    asked, worked = [], []

    def traffic() -> Traffic:
        asked.append(TRAFFIC)
        return TRAFFIC

    with told(settings(), "demo", "run-1", log, traffic, made):
        worked.append(made)
    assert (worked, asked) == ([made], [])
    assert not Path(log.path).exists()


def test_a_token_is_shown(tmp_path: Path, log: RunLog, made: Dataset) -> None:
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text("s3cret\n")
    with EndPoint() as end_point:
        its = Settings(env="dev", lineage={"url": end_point.url, "token_file": str(token)})
        tell(its, log, made)
    assert end_point.tokens == ["Bearer s3cret"] * 2


def test_a_token_is_not_sent_in_the_clear() -> None:
    with pytest.raises(ConfigError, match="the token would go there in the clear"):
        settings(url="http://a.example/", token_file="/x")


@pytest.mark.parametrize("url", ["ftp://a/", "http://", "http://user:word@a/", "/path"])
def test_what_is_no_end_point(url: str) -> None:
    with pytest.raises(ConfigError, match=r"lineage\.url"):
        settings(url=url)


def test_an_end_point_that_never_answers_loses_events_and_nothing_else(log: RunLog, made: Dataset) -> None:
    with silent() as url:
        tell(settings(url=url, seconds=0.2), log, made)
    assert len(lost(log)) == 2


def test_an_end_point_that_is_not_there_or_refuses(log: RunLog, made: Dataset) -> None:
    with silent() as url:
        pass
    tell(settings(url=url), log, made)
    with EndPoint(status=500) as end_point:
        tell(settings(url=end_point.url), log, made)
    assert len(lost(log)) == 4
    assert "answered 500" in lost(log)[-1]


def test_a_file_that_cannot_be_written_and_traffic_that_fails(tmp_path: Path, log: RunLog, made: Dataset) -> None:
    (tmp_path / "taken").touch()
    tell(settings(file=str(tmp_path / "taken" / "x")), log, made)
    assert len(lost(log)) == 2

    def traffic() -> Traffic:
        raise KeyError("x")

    with told(settings(file=str(tmp_path / "taken")), "demo", "run-1", log, traffic, made):
        pass
    assert len(lost(log)) > 2


def test_a_run_tells_each_stage_and_its_rows_are_traced_back(installation: Installation) -> None:
    installation.upload("a.txt", b"no url\nftp://a/1/2\n")
    file = installation.root / "lineage.jsonl"
    with silent() as url:
        ran = installation.run(
            LANDFALL_LINEAGE__FILE=str(file), LANDFALL_LINEAGE__URL=url, LANDFALL_LINEAGE__SECONDS="0.3"
        )
    assert ran.returncode == 0, ran.stderr
    events = [json.loads(line) for line in file.read_text().splitlines()]
    stages = ["land", "validate", "fetch", "transform", "store", "load", "publish"]
    ended = {event["job"]["name"]: event for event in events if event["eventType"] == "COMPLETE"}
    assert ended.keys() == {"demo/star/agg_images_daily", *(f"demo/photos/{stage}" for stage in stages)}
    assert len(events) == 2 * len(ended)
    assert {one["name"] for one in ended["demo/star/agg_images_daily"]["inputs"]} == {"demo/fact_image_request"}
    assert "demo/agg_images_daily" in {one["name"] for one in ended["demo/star/agg_images_daily"]["outputs"]}
    assert {one["name"] for one in ended["demo/photos/validate"]["inputs"]} == {"demo/photos/land"}
    assert {one["name"] for one in ended["demo/photos/land"]["inputs"]} == {"demo/photos/incoming"}
    assert "demo/fact_image_request" in {one["name"] for one in ended["demo/photos/load"]["outputs"]}
    assert len({event["run"]["facets"]["parent"]["run"]["runId"] for event in events}) == 1
    warned = installation.landfall("logs", "--client", "demo", "--level", "warning").stdout
    assert "lineage event lost" in warned
    assert file.stat().st_mode & 0o077 == 0
    _the_way_back_is_shown(installation)


def _the_way_back_is_shown(installation: Installation) -> None:
    """Of the rows of facts, dimensions and aggregates of the catalogue that was run."""

    def trace(*arguments: str, user: str = "vera") -> tuple[int, dict[str, Any], str]:
        done = installation.landfall("trace", "--client", "demo", "--format", "json", *arguments, user=user)
        return done.returncode, json.loads(done.stdout) if done.returncode == 0 else {}, done.stderr

    _, found, _ = trace("--table", "fact_image_request", "--where", "rule = 'url.scheme' -- the second")
    assert found["rows"] == 1
    assert found["how"] == "each line"
    assert [(one["line"], one["entry"]) for one in found["lines"]] == [(2, 0)]
    assert [(one["name"], one["feed"], one["lines"]) for one in found["drops"]] == [("a.txt", "photos", 2)]
    assert [(one["by"], one["reads"], one["current"]) for one in found["made"]] == [
        ("load of photos", ["files of photos"], True)
    ]
    _, found, _ = trace("--table", "dim_outcome", "--where", "code = 'url.scheme'")
    assert [one["line"] for one in found["lines"]] == [2]
    _, found, _ = trace("--table", "dim_date", "--limit", "1")
    assert (len(found["lines"]), found["more"]) == (1, True)
    _, found, _ = trace("--table", "dim_drop")
    assert found["how"] == "all lines of these drops"
    assert [one["name"] for one in found["drops"]] == ["a.txt"]
    _, found, _ = trace("--table", "agg_images_daily", "--where", "rule = 'url.scheme'")
    assert [one["line"] for one in found["lines"]] == [2]
    assert [one["by"] for one in found["made"]] == ["star/agg_images_daily", "load of photos"]
    _, found, _ = trace("--table", "fact_image_request", "--where", "line > 9")
    assert (found["rows"], found["drops"], found["lines"]) == (0, [], [])
    shown = installation.landfall("trace", "--client", "demo", "--table", "fact_image_request", user="vera").stdout
    assert "a.txt" in shown
    assert "load of photos" in shown
    for arguments, code, says in (
        (("--table", "nothing"), 66, "There is no table 'nothing'"),
        (("--table", "dim_drop", "--where", "1 = 1; DROP VIEW dim_drop"), 65, "DuckDB cannot run this"),
        (("--table", "dim_drop", "--where", "drop IN (SELECT content FROM read_text('/etc/passwd'))"), 65, "read_text"),
        (("--table", "dim_drop", "--where", "nonsense ="), 65, "DuckDB cannot run this"),
    ):
        ended, _, said = trace(*arguments)
        assert (ended, says in said) == (code, True), said
    assert trace("--table", "dim_drop", user="stranger")[0] == 77
