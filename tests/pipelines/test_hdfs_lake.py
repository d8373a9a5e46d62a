"""The main job with its lake on HDFS: as on a local directory, by settings alone, and each client apart."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from landfall.sample_web import SampleWeb, catalogue
from targets.hdfs import HdfsFileSystem, HdfsPlace
from targets.layout import STAGES
from tests.installation import Installation
from tests.pipelines.holding import events, held
from tests.pipelines.orders import check_orders, take_orders
from tests.servers.hdfs import SERVICE, HdfsCluster
from tests.servers.waiting import until

LINES = 400
SHARD_ROWS = 256
SEED = 20261122
SETTINGS = """
[lake]
url = "{url}{lake}"

[hdfs]
user = "{user}"
as_client = "landfall-{{client}}"
group = "landfall-{{client}}"
patience_seconds = {patience}
lease_seconds = 4
"""
SPARK = """
import sys
import landfall
with landfall.open("demo") as star:
    print(star.spark("fact_image_request").count(), star.arrow("fact_image_request").num_rows)
"""


@pytest.fixture(scope="module")
def uploaded(web: SampleWeb) -> bytes:
    return b"".join(line.content + b"\n" for line in catalogue(web.url, LINES, seed=SEED))


@pytest.fixture(scope="module")
def local(installed: Callable[[str], Installation], uploaded: bytes) -> Installation:
    made = installed("local-lake")
    made.upload("catalogue.txt", uploaded)
    ran = made.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return made


def on_hdfs(made: Installation, hdfs: HdfsCluster, lake: str, patience: int = 20) -> Installation:
    """Puts an installation's lake on HDFS, and does what HDFS's superuser does once for a client."""
    with (made.conf / "test.toml").open("a") as file:
        file.write(SETTINGS.format(url=hdfs.url, lake=lake, user=SERVICE, patience=patience))
    for below in ("", "/test", "/test/clients"):
        hdfs.make_directory(f"{lake}{below}", SERVICE, SERVICE)
    user = f"landfall-{made.client}"
    hdfs.make_directory(f"{lake}/test/clients/{made.client}", user, user, "750")
    return made


@pytest.fixture(scope="module")
def done(installed: Callable[[str], Installation], hdfs: HdfsCluster, uploaded: bytes) -> Installation:
    """An installation whose lake is on HDFS, where each client's work is done by a user of its own."""
    made = on_hdfs(installed("hdfs-lake"), hdfs, "/main-job")
    made.upload("catalogue.txt", uploaded)
    ran = made.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return made


@pytest.fixture
def root(hdfs: HdfsCluster) -> HdfsFileSystem:
    """HDFS as its superuser sees it."""
    return HdfsFileSystem(HdfsPlace(url=hdfs.url, login=hdfs.superuser))


TREE = "/main-job/test/clients/demo"


def test_the_content_is_that_of_a_local_lake(done: Installation, local: Installation) -> None:
    assert done.digest() == local.digest()
    assert [one["counts"] for one in done.receipts()] == [one["counts"] for one in local.receipts()]


def test_everybody_reads_it(done: Installation) -> None:
    (standing,) = json.loads(done.landfall("status", "--client", "demo", "--json").stdout)
    assert [drop["state"] for drop in standing["drops"]] == ["published"]
    assert done.landfall("images", "verify", "--client", "demo").returncode == 0
    asked = subprocess.run(
        [sys.executable, "-c", SPARK], env=done.environment(), capture_output=True, text=True, check=False
    )
    assert asked.stdout == f"{LINES} {LINES}\n", asked.stderr


def test_the_tree_is_the_clients_alone(done: Installation, hdfs: HdfsCluster, root: HdfsFileSystem) -> None:
    everything = [TREE, *(f"{TREE}/{name}" for name, _ in root.walk(TREE))]
    for path in everything:
        status = root.status(path)
        assert (status.owner, status.group) == ("landfall-demo", "landfall-demo")
        assert oct(status.mode) == ("0o750" if status.is_directory else "0o640")
        for user in ("landfall-acme", SERVICE, "mallory"):
            op = "LISTSTATUS" if status.is_directory else "OPEN"
            assert hdfs.call("GET", path, op, user).status_code == 403


@pytest.mark.parametrize(
    "sql",
    [
        "FROM read_text('{file}')",
        "FROM read_parquet('{file}')",
        "FROM '{file}'",
        "FROM read_parquet('{unpublished}')",
        "FROM read_text('{rival}')",
        "FROM read_blob('{rival}')",
        "FROM glob('{url}/**')",
        "COPY (SELECT 1) TO '{url}/main-job/x.csv'",
    ],
)
@pytest.mark.parametrize("looked_at", [True, False])
def test_sql_reaches_nothing_else_on_hdfs(
    done: Installation,
    hdfs: HdfsCluster,
    root: HdfsFileSystem,
    sql: str,
    looked_at: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also as a user who may read all of HDFS, and also if the text of the SQL were not looked at."""
    from conf.errors import QueryRefused
    from conf.settings import load_settings
    from landfall.star import open_star

    for name, value in done.environment().items():
        if name.startswith("LANDFALL_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("LANDFALL_HDFS__USER", hdfs.superuser)
    monkeypatch.setenv("LANDFALL_HDFS__AS_CLIENT", "")
    load_settings.cache_clear()
    files = [name for name, _ in root.walk(TREE)]
    if not root.exists("/rival/file"):
        root.create("/rival/file", b"secret")
    names = {
        "url": hdfs.url,
        "rival": f"{hdfs.url}/rival/file",
        "file": f"{hdfs.url}{TREE}/" + next(name for name in files if name.endswith("receipt.json")),
        "unpublished": f"{hdfs.url}{TREE}/" + next(name for name in files if "/originals/" in name),
    }
    if not looked_at:
        monkeypatch.setattr("landfall.confined.check_select", lambda connection, sql: None)
    with open_star("demo") as star:
        cursor = star.cursor()
        star.execute("SELECT count(*) FROM fact_image_request", cursor)
        assert cursor.fetchall() == [(LINES,)]
        with pytest.raises(QueryRefused):
            star.execute(sql.format(**names), cursor)
    assert not root.exists("/main-job/x.csv")


def test_the_files_of_a_drop_keep_to_the_budget(done: Installation, root: HdfsFileSystem) -> None:
    """docs/hdfs.md states it: NameNodes hold every name in memory."""
    names = [name for name, _ in root.walk(TREE)]
    ok = sum(one["counts"]["ok"] for one in done.receipts())
    shards = -(-LINES // SHARD_ROWS)
    assert ok > 0
    assert len(names) <= 28 + 2 * shards
    below_drops = {path.rpartition("/")[0] for path in names}
    directories = {
        "/".join(path.split("/")[:depth])
        for path in below_drops
        for depth in range(1, path.count("/") + 2)
        if "drop=" in "/".join(path.split("/")[:depth])
    }
    assert len(directories) <= 30
    assert list(root.names(f"{TREE}/_staging")) == []
    assert list(root.names(f"{TREE}/_leases")) == []


@pytest.mark.slow
def test_a_killed_run_is_followed_and_ends_right(
    installation: Installation, hdfs: HdfsCluster, root: HdfsFileSystem, uploaded: bytes, local: Installation
) -> None:
    made = on_hdfs(installation, hdfs, "/killed")
    made.upload("catalogue.txt", uploaded)
    running = made.start()
    shards = f"/killed/test/clients/{made.client}/_staging"
    until(lambda: any("originals/part" in name for name, _ in root.walk(shards)), "a shard is fetched", seconds=200)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    ran = made.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert made.digest() == local.digest()
    assert made.receipts()[0]["counts"] == local.receipts()[0]["counts"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_server_that_dies_in_the_middle_of_each_stage_and_comes_back(
    installation: Installation, tmp_path: Path, uploaded: bytes, local: Installation
) -> None:
    groups = {"landfall-demo": "landfall-demo"}
    left, met = list(STAGES), list[str]()
    with HdfsCluster(tmp_path / "hdfs", groups=groups) as frail:
        made = on_hdfs(installation, frail, "/frail", patience=120)
        made.upload("catalogue.txt", uploaded)
        while left:
            with held(made, left) as run:
                while stage := run.stage():
                    namenode = len(met) % 2
                    (frail.stop_namenode if namenode else frail.stop_datanode)(signal.SIGKILL)
                    run.go_on()
                    (frail.start_namenode if namenode else frail.start_datanode)()
                    met.append(stage)
                code, said = run.end()
            # Of two that begin at once one may go on before it is met: it is done then.
            left = [each for each in left if each not in {*met, *events(made, "finished")}]
            assert "Traceback" not in said
            assert code in (0, 30), said
        ran = made.run()
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert made.digest() == local.digest()
        assert [receipt["counts"] for receipt in made.receipts()] == [one["counts"] for one in local.receipts()]


@pytest.mark.slow
def test_a_tree_that_is_not_the_clients_is_a_sentence(
    installation: Installation, hdfs: HdfsCluster, uploaded: bytes
) -> None:
    made = on_hdfs(installation, hdfs, "/wrong")
    hdfs.make_directory(f"/wrong/test/clients/{made.client}", SERVICE, SERVICE, "755")
    made.upload("catalogue.txt", uploaded)
    ran = made.run()
    assert ran.returncode != 0
    said = ran.stdout + ran.stderr
    assert "the HDFS user landfall-demo may not do this" in said
    assert "Traceback" not in said
    hdfs.make_directory(f"/wrong/test/clients/{made.client}", "landfall-demo", "landfall-demo", "750")
    assert made.run().returncode == 0
    assert made.receipts()[0]["status"] == "published"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_records_and_their_marts_are_those_of_a_local_lake(done: Installation, local: Installation) -> None:
    """The last of this module: both clients have another feed from here on."""
    orders = take_orders(done)
    check_orders(orders)
    assert orders == take_orders(local)
