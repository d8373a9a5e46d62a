"""Spark in the process, on a standalone cluster and over Connect: the same content, whatever dies meanwhile."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

import psutil
import pytest

from conf.settings import Settings
from landfall import spark_server
from landfall.sample_web import SampleWeb, catalogue
from targets.journal import Journal
from tests.installation import Installation
from tests.pipelines.orders import check_orders, take_orders
from tests.servers import free_port
from tests.servers.spark import Standalone, foreign_python, standalone
from tests.servers.waiting import until

# The stages that Spark works in.
STAGES = ("validate", "fetch", "transform", "load", "store", "publish")
LINES = 300
PATIENCE = {"LANDFALL_SPARK__START_SECONDS": "240"}  # the machines are small

Prepare = Callable[[str, Mapping[str, str]], Installation]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    with standalone(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="module")
def content(web: SampleWeb) -> bytes:
    """A catalogue that is not little: all stages need Spark."""
    bad = b"".join(b"nonsense %d\n" % number for number in range(30_000))
    return b"".join(line.content + b"\n" for line in catalogue(web.url, LINES, seed=11)) + bad


@pytest.fixture(scope="module")
def prepare(installed: Callable[[str], Installation], content: bytes) -> Prepare:
    """Makes an installation with such variables, in which the catalogue waits."""

    def make(name: str, variables: Mapping[str, str]) -> Installation:
        made = replace(installed(name), variables={**PATIENCE, **variables})
        made.upload("a.txt", content)
        return made

    return make


@pytest.fixture(scope="module")
def undisturbed(prepare: Prepare) -> Installation:
    """An installation that has run with Spark in its own process."""
    made = prepare("calm", {})
    ran = made.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return made


@pytest.fixture(scope="module")
def calm(undisturbed: Installation) -> str:
    """The digest of what an undisturbed run makes of the catalogue."""
    return undisturbed.digest()


@contextlib.contextmanager
def served(installation: Installation) -> Iterator[Installation]:
    """An installation whose Connect server runs, and is stopped at the end."""
    url = f"sc://127.0.0.1:{free_port()}"
    python = str(foreign_python(installation.root))
    variables = {**installation.variables, "LANDFALL_SPARK__REMOTE": url, "LANDFALL_SPARK__PYTHON": python}
    chosen = replace(installation, variables=variables)
    started = chosen.landfall("spark", "start")
    assert started.returncode == 0, started.stderr
    try:
        yield chosen
    finally:
        chosen.landfall("spark", "stop")


def server_of(installation: Installation) -> spark_server.Server | None:
    return spark_server.running(Settings(env="test", home=installation.home))


def begun(installation: Installation) -> Counter[str]:
    """How often each stage has begun."""
    journal = Journal(installation.home / "logs" / installation.client / "journal.jsonl")
    return Counter(entry["stage"] for entry in journal.entries() if entry["event"] == "started")


def await_stage(
    installation: Installation, run: subprocess.Popen[bytes], left: Collection[str], before: Counter[str]
) -> str:
    """Awaits that the run begins one of the stages left (Luigi runs Store and Load in any order), and names it."""
    new: list[str] = []

    def met() -> bool:
        new[:] = [stage for stage, times in begun(installation).items() if stage in left and times > before[stage]]
        return bool(new)

    until(lambda: met() or run.poll() is not None, f"one of {', '.join(left)} begins", 300)
    assert new, f"the run ended before these began: {', '.join(left)}"
    return new[0]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_same_content_wherever_spark_is(
    prepare: Prepare, cluster: Standalone, calm: str, undisturbed: Installation
) -> None:
    elsewhere = prepare("standalone", cluster.environment())
    ran = elsewhere.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert elsewhere.digest() == calm
    with served(prepare("connect", {})) as remote:
        ran = remote.luigi("RunClient", "--client", "demo", "--local-scheduler", "--workers", "3")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert remote.digest() == calm
        orders = take_orders(remote, "--workers", "3")
        check_orders(orders)
        assert orders == take_orders(undisturbed)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_executors_and_a_worker_killed_in_every_stage(prepare: Prepare, cluster: Standalone, calm: str) -> None:
    struck = prepare("executors-killed", cluster.environment())
    run = struck.start()
    left = list(STAGES)
    while left:
        assert run.poll() is None, f"the run ended before these were met: {left}"
        stage = await_stage(struck, run, left, Counter())
        until(lambda: bool(cluster.executors()) or run.poll() is not None, "an executor runs", 300)
        for executor in cluster.executors()[:1]:
            executor.kill()
            left.remove(stage)
        if stage == "fetch":
            cluster.workers[0].send_signal(signal.SIGKILL)
            cluster.add_worker()
    assert run.wait(timeout=600) == 0
    assert struck.digest() == calm
    assert [receipt["status"] for receipt in struck.receipts()] == ["published"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_connect_server_killed_in_every_stage(prepare: Prepare, calm: str) -> None:
    with served(prepare("server-killed", {})) as struck:
        left = list(STAGES)
        while left:
            before = begun(struck)
            with (struck.root / "told.txt").open("wb") as told:
                run = struck.start(told)
                left.remove(await_stage(struck, run, left, before))
                server = server_of(struck)
                assert server is not None
                psutil.Process(server.pid).kill()
                assert run.wait(timeout=300) == 30
            said = (struck.root / "told.txt").read_text()
            assert "Spark Connect server" in said, said
            assert "Traceback" not in said
            assert server_of(struck) is None
            assert struck.landfall("spark", "start").returncode == 0
        ran = struck.run()
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert struck.digest() == calm
        assert [receipt["status"] for receipt in struck.receipts()] == ["published"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_cluster_that_has_no_room_is_a_sentence(prepare: Prepare, cluster: Standalone) -> None:
    large = {"LANDFALL_SPARK__EXECUTOR_MEMORY": "64g", "LANDFALL_SPARK__START_SECONDS": "3"}
    ran = prepare("no-room", {**cluster.environment(), **large}).run()
    assert ran.returncode == 30
    assert "No executor came within 3 s (spark.start_seconds)" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_directories_that_executors_cannot_reach_are_refused(prepare: Prepare) -> None:
    alone = prepare("out-of-reach", {"LANDFALL_SPARK__MASTER": "spark://127.0.0.1:9"})
    ran = alone.run()
    assert ran.returncode == 30
    assert f"The lake is {alone.home / 'lake'}, which executors of spark://127.0.0.1:9 cannot reach" in ran.stderr
    assert "The image store is" in ran.stderr
    assert "spark.shared_storage = true" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_connect_server_that_is_not_there_is_a_sentence(prepare: Prepare) -> None:
    ran = prepare("no-server", {"LANDFALL_SPARK__REMOTE": f"sc://127.0.0.1:{free_port()}"}).run()
    assert ran.returncode == 30
    assert "No Spark Connect server answers at" in ran.stderr
    assert "landfall spark start" in ran.stderr
    assert "Traceback" not in ran.stderr
