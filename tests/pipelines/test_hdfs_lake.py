"""The main job with its lake on HDFS: as on a local directory, by settings alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from landfall.sample_web import SampleWeb, catalogue
from tests.installation import Installation
from tests.servers.hdfs import SERVICE, HdfsCluster

LINES = 600
SEED = 20261122
LAKE = "/main-job"
SETTINGS = """
[lake]
url = "{url}{lake}"

[hdfs]
user = "{user}"
as_client = "landfall-{{client}}"
web = "{web}"
patience_seconds = 20
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


@pytest.fixture(scope="module")
def done(installed: Callable[[str], Installation], hdfs: HdfsCluster, uploaded: bytes) -> Installation:
    """An installation whose lake is on HDFS, where each client's work is done by a user of its own."""
    made = installed("hdfs-lake")
    with (made.conf / "test.toml").open("a") as file:
        file.write(SETTINGS.format(url=hdfs.url, lake=LAKE, user=SERVICE, web=hdfs.webhdfs))
    hdfs.make_directory(LAKE, SERVICE, SERVICE)
    prepare_tree(hdfs, made.client)
    made.upload("catalogue.txt", uploaded)
    ran = made.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return made


def prepare_tree(hdfs: HdfsCluster, client: str) -> None:
    """What HDFS's superuser does once for a client."""
    hdfs.make_directory(f"{LAKE}/test", SERVICE, SERVICE)
    hdfs.make_directory(f"{LAKE}/test/clients", SERVICE, SERVICE)
    hdfs.make_directory(f"{LAKE}/test/clients/{client}", f"landfall-{client}", f"landfall-{client}", "750")


def test_the_content_is_that_of_a_local_lake(done: Installation, local: Installation) -> None:
    assert done.digest() == local.digest()
    assert [one["counts"] for one in done.receipts()] == [one["counts"] for one in local.receipts()]
