"""A run with Luigi's central scheduler: what its page shows, and what becomes of a run when it, or a web, dies."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from landfall.sample_web import SampleWeb, catalogue
from tests.installation import Installation
from tests.servers.luigid import Luigid, luigid
from tests.servers.waiting import until

STAGES = {"Land", "Validate", "Fetch", "Transform", "Store", "Load", "Publish"}
FOLLOWING = {"RunWorkflow", "Action"}
Prepare = Callable[[str, SampleWeb], Installation]


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[Luigid]:
    with luigid(tmp_path) as running:
        yield running


@pytest.fixture
def client(installation: Installation, web: SampleWeb) -> Installation:
    """An installation in which a catalogue waits."""
    installation.upload("a.txt", content(web))
    return installation


def content(web: SampleWeb, lines: int = 40, seed: int = 1) -> bytes:
    return b"".join(line.content + b"\n" for line in catalogue(web.url, lines, seed=seed, faults={}))


def command(scheduler: Luigid) -> list[str]:
    return ["RunClient", "--client", "demo", "--scheduler-url", scheduler.url]


def start(client: Installation, scheduler: Luigid, told: Path) -> subprocess.Popen[bytes]:
    with told.open("wb") as file:
        return subprocess.Popen(
            [client.luigi_command()[0], "--module", "pipelines", *command(scheduler)],
            env=client.environment(),
            cwd=client.root,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


def runs(scheduler: Luigid, run: subprocess.Popen[bytes], stage: str) -> None:
    """Returns when the page shows that the stage runs."""
    until(lambda: run.poll() is not None or stage in scheduler.tasks("RUNNING"), f"{stage} runs")


def test_the_page_shows_the_graph_and_what_each_stage_says(client: Installation, scheduler: Luigid) -> None:
    ran = client.luigi(*command(scheduler))
    assert ran.returncode == 0, ran.stderr
    tasks = scheduler.tasks()
    assert tasks.keys() == {"RunClient", *STAGES, *FOLLOWING}
    assert {task["status"] for task in tasks.values()} == {"DONE"}
    graph = scheduler.ask("dep_graph", task_id=tasks["RunClient"]["id"])
    names = {task["id"]: name for name, task in tasks.items()}
    assert {names[each] for each in graph[tasks["RunClient"]["id"]]["deps"]} == {"Publish", "RunWorkflow"}
    assert {names[each] for each in graph[tasks["Publish"]["id"]]["deps"]} == STAGES - {"Publish"}
    assert {names[each] for each in graph[tasks["Fetch"]["id"]]["deps"]} == {"Validate"}
    for name in STAGES:
        shown = scheduler.ask("get_task_status_message", task_id=tasks[name]["id"])["statusMessage"]
        assert shown.startswith(f"{name.lower()} is done: "), shown
        assert scheduler.ask("get_task_progress_percentage", task_id=tasks[name]["id"])["progressPercentage"] == 100
    client.upload("b.txt", b"")
    again = client.luigi(*command(scheduler))
    assert again.returncode == 0, again.stderr
    assert [receipt["status"] for receipt in client.receipts()] == ["published", "refused"]


def test_a_web_that_dies_half_way_is_told_of_on_the_page_and_a_run_after_it_goes_on(
    installation: Installation, scheduler: Luigid, tmp_path: Path
) -> None:
    with SampleWeb(seed=3, process=True) as web:
        own = Installation(installation.root / "own", web.port).prepare()
        catalogued = content(web, 600)
        own.upload("a.txt", catalogued)
        run = start(own, scheduler, tmp_path / "told.txt")
        until(lambda: web.tally.total > 200 or run.poll() is not None, "pictures are asked for", 280)
        web.pause()
        assert run.wait(timeout=280) == 30
        said = (tmp_path / "told.txt").read_text()
        failed = re.search(r"(\d+) of 600 pictures failed in passing", said)
        assert failed, said
        assert "Traceback" not in said
        tasks = scheduler.tasks()
        assert (tasks["Fetch"]["status"], tasks["Transform"]["status"]) == ("FAILED", "PENDING")
        shown = scheduler.ask("fetch_error", task_id=tasks["Fetch"]["id"])["error"]
        assert failed[0] in shown
        assert "Traceback" not in shown
        assert own.receipts() == []
        assert "held" in own.landfall("status", "--client", own.client).stdout.lower()
        web.resume()
        ran = own.luigi(*command(scheduler))
        assert ran.returncode == 0, ran.stderr
        assert {task["status"] for task in scheduler.tasks().values()} == {"DONE"}
        assert [receipt["counts"]["ok"] for receipt in own.receipts()] == [600]
        # What came before the web died is not asked for again.
        paths = {line.decode().removeprefix(web.url) for line in catalogued.splitlines()}
        assert len(paths & web.requests.keys()) == int(failed[1]) < 600


@pytest.mark.slow
def test_two_runners_do_each_drop_once(client: Installation, scheduler: Luigid, web: SampleWeb, tmp_path: Path) -> None:
    client.upload("b.txt", content(web, seed=2))
    runners = [start(client, scheduler, tmp_path / f"{number}.txt") for number in range(2)]
    codes = [runner.wait(timeout=250) for runner in runners]
    assert 0 in codes
    for number, code in enumerate(codes):
        said = (tmp_path / f"{number}.txt").read_text()
        assert code == 0 or (code == 10 and "Another run of this client is at work" in said), said
    assert [receipt["status"] for receipt in client.receipts()] == ["published"] * 2
    assert client.rows("SELECT count(*) AS n FROM fact_image_request") == [{"n": 80}]
    done = scheduler.tasks("DONE")
    assert done.keys() == {"RunClient", *STAGES, *FOLLOWING}


@pytest.mark.slow
def test_a_scheduler_that_is_started_anew_with_what_it_knew_is_not_missed(
    client: Installation, scheduler: Luigid, tmp_path: Path
) -> None:
    run = start(client, scheduler, tmp_path / "told.txt")
    runs(scheduler, run, "Validate")
    scheduler.stop()
    scheduler.start()
    assert run.wait(timeout=250) == 0, (tmp_path / "told.txt").read_text()
    assert [receipt["status"] for receipt in client.receipts()] == ["published"]


@pytest.mark.slow
def test_a_scheduler_that_is_killed_ends_a_run_well_or_in_a_sentence(
    client: Installation, scheduler: Luigid, tmp_path: Path
) -> None:
    run = start(client, scheduler, tmp_path / "told.txt")
    runs(scheduler, run, "Validate")
    scheduler.kill()
    scheduler.start()
    code, said = run.wait(timeout=250), (tmp_path / "told.txt").read_text()
    assert "Traceback" not in said
    assert code == 0 or (code == 25 and "run again to go on" in said), said
    assert bool(client.receipts()) == (code == 0)
    ran = client.luigi(*command(scheduler))
    assert ran.returncode == 0, ran.stderr
    assert [receipt["status"] for receipt in client.receipts()] == ["published"]


@pytest.mark.slow
def test_a_scheduler_that_stays_away_ends_a_run_in_a_sentence(
    client: Installation, scheduler: Luigid, tmp_path: Path
) -> None:
    impatient = tmp_path / "luigi.cfg"
    impatient.write_text("[core]\nrpc_retry_attempts = 2\nrpc_retry_wait = 1\n")
    away = Installation(client.root, client.port, variables={"LUIGI_CONFIG_PATH": str(impatient)})
    run = start(away, scheduler, tmp_path / "told.txt")
    runs(scheduler, run, "Validate")
    scheduler.kill()
    said = (tmp_path / "told.txt").read_text() if run.wait(timeout=250) == 40 else ""
    assert f"The scheduler at {scheduler.url} does not answer" in said.splitlines()[-1]
    assert "Traceback" not in said
    scheduler.start()
    assert client.luigi(*command(scheduler)).returncode == 0


@pytest.mark.slow
def test_a_scheduler_that_comes_late_is_waited_for(client: Installation, tmp_path: Path) -> None:
    late = Luigid(tmp_path)
    run = start(client, late, tmp_path / "told.txt")
    until(lambda: "does not answer" in (tmp_path / "told.txt").read_text(), "the run asks in vain")
    late.start()
    try:
        assert run.wait(timeout=250) == 0, (tmp_path / "told.txt").read_text()
    finally:
        late.stop()
    assert [receipt["status"] for receipt in client.receipts()] == ["published"]
