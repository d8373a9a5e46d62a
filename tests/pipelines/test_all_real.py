"""Every part a real server at once: sshd, HDFS, MongoDB's wire protocol over TLS, LDAPS, luigid; by settings alone."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from landfall.sample_web import SampleWeb, catalogue
from tests.installation import OPERATOR, Installation
from tests.servers.hdfs import SERVICE, HdfsCluster
from tests.servers.ldap import Slapd, running
from tests.servers.luigid import Luigid, luigid
from tests.servers.mongo import Certificate, MongoServer, mongo_server
from tests.servers.sftp import ADMIN, SftpHost, sftp_host

# The first to need HDFS and MongoDB: their servers may have to be fetched and built.
pytestmark = pytest.mark.timeout(900)

LINES = 120
SEED = 20261125
LAKE = "/all-real"
FAULTS = {"404": 0.05, "damaged": 0.05, "truncated": 0.05, "scheme": 0.05, "duplicate": 0.05}
SETTINGS = """
[lake]
url = "{hdfs.url}{lake}"

[hdfs]
user = "{service}"
as_client = "landfall-{{client}}"
web = "{hdfs.webhdfs}"
patience_seconds = 20

[images]
url = "{mongo.url}"

[mongo]
user = "landfall_{{client}}"
password_file = "{secrets}/{{client}}"
ca_file = "{mongo.certificate.authority}"
"""


@dataclass
class House:
    """All of it."""

    host: SftpHost
    hdfs: HdfsCluster
    mongo: MongoServer
    slapd: Slapd
    luigid: Luigid


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, web: SampleWeb, hdfs: HdfsCluster, authority: trustme.CA
) -> Iterator[House]:
    root = tmp_path_factory.mktemp("all-real")
    certificate = _certificate(root, authority)
    with (
        mongo_server(root / "mongo", certificate, users=True) as mongo,
        running(root / "slapd", authority) as slapd,
        luigid(root / "luigid") as scheduler,
        sftp_host(root / "installation", web.port) as host,
    ):
        for user, group in ((OPERATOR, "operators"), (ADMIN, "admins"), ("vera", "viewers")):
            slapd.group(group, slapd.person(user, f"password of {user}"))
        _configure(host, hdfs, mongo, slapd)
        applied = host.config("--apply")
        assert applied.returncode == 0, applied.stderr
        made = host.landfall("init", user=ADMIN)
        assert made.returncode == 0, made.stderr
        with host.running():
            yield House(host, hdfs, mongo, slapd, scheduler)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def _certificate(root: Path, authority: trustme.CA) -> Certificate:
    issued = authority.issue_cert("localhost")
    chain, key, ca = root / "chain.pem", root / "key.pem", root / "ca.pem"
    issued.private_key_pem.write_to_path(key)
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    authority.cert_pem.write_to_path(ca)
    return Certificate(chain, key, ca)


def _configure(host: SftpHost, hdfs: HdfsCluster, mongo: MongoServer, slapd: Slapd) -> None:
    """What a platform engineer writes and runs once."""
    secrets = host.root / "mongo"
    secrets.mkdir()
    for client in ("demo", "rival"):
        (secrets / client).write_text(f"password of {client}")
        (secrets / client).chmod(0o600)
        mongo.add_user("admin", f"landfall_{client}", f"password of {client}")
        hdfs.make_directory(f"{LAKE}/test/clients/{client}", f"landfall-{client}", f"landfall-{client}", "750")
    for directory in (LAKE, f"{LAKE}/test", f"{LAKE}/test/clients"):
        hdfs.make_directory(directory, SERVICE, SERVICE)
    (host.home / "directory.json").unlink()
    settings = SETTINGS.format(hdfs=hdfs, lake=LAKE, service=SERVICE, mongo=mongo, secrets=secrets)
    with (host.conf / "test.toml").open("a") as file:
        file.write(settings + slapd.toml())


@pytest.fixture(scope="module")
def content(web: SampleWeb) -> tuple[bytes, Counter[str]]:
    lines = list(catalogue(web.url, LINES, seed=SEED, faults=FAULTS))
    return b"".join(line.content + b"\n" for line in lines), Counter(line.rule for line in lines)


@pytest.fixture(scope="module")
def ran(house: House, content: tuple[bytes, Counter[str]]) -> House:
    """A catalogue that came by SFTP, and a run against luigid."""
    host = house.host
    file = host.root / "catalogue.txt"
    file.write_bytes(content[0])
    put = host.sftp(
        "demo",
        f"put {file} incoming/photos/.catalogue.txt.part",
        "rename incoming/photos/.catalogue.txt.part incoming/photos/catalogue.txt",
    )
    assert put.returncode == 0, put.stderr
    done = host.run(port=house.luigid.port)
    assert done.returncode == 0, done.stdout + done.stderr
    return house


def test_the_client_fetches_a_receipt_that_adds_up(
    ran: House, content: tuple[bytes, Counter[str]], tmp_path: Path
) -> None:
    files = ran.host.answers("demo", tmp_path / "got")
    [receipt] = [json.loads(file.read_text()) for file in files if file.name.endswith(".receipt.json")]
    counts = receipt["counts"]
    assert counts["lines"] == LINES == counts["ok"] + counts["quarantined"] + counts["duplicate"]
    assert counts["ok"] == content[1]["ok"]
    [rejects] = [file for file in files if file.name.endswith(".rejects.csv")]
    with rejects.open(newline="") as opened:
        assert len(list(csv.DictReader(opened))) == counts["quarantined"]


def test_the_scheduler_shows_every_stage_done(ran: House) -> None:
    stages = {"Land", "Validate", "Fetch", "Transform", "Store", "Load", "Publish", "RunClient"}
    assert stages <= ran.luigid.tasks("DONE").keys()


def test_the_content_is_that_of_an_installation_without_servers(
    ran: House, content: tuple[bytes, Counter[str]], installed: Callable[[str], Installation]
) -> None:
    alone = installed("no-servers")
    alone.upload("catalogue.txt", content[0])
    assert alone.run().returncode == 0
    assert ran.host.digest() == alone.digest()


def test_sql_and_pictures(ran: House, tmp_path: Path, content: tuple[bytes, Counter[str]]) -> None:
    rows = ran.host.rows("SELECT outcome, count(*) AS lines FROM fact_image_request GROUP BY outcome")
    assert {row["outcome"]: row["lines"] for row in rows}["ok"] == content[1]["ok"]
    [picture] = ran.host.rows("SELECT image_id FROM dim_image ORDER BY image_id LIMIT 1")
    got = ran.host.landfall("images", "get", picture["image_id"], "--client", "demo", "--output", str(tmp_path / "g"))
    assert got.returncode == 0, got.stderr
    verified = ran.host.landfall("images", "verify", "--client", "demo")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_the_lake_is_the_clients_own(ran: House) -> None:
    listing = ran.hdfs.call("GET", f"{LAKE}/test/clients/demo/published", "LISTSTATUS", user="landfall-rival")
    assert listing.status_code == 403


def test_the_same_again_does_nothing(ran: House, web: SampleWeb, content: tuple[bytes, Counter[str]]) -> None:
    host = ran.host
    before = web.tally.total
    assert host.sftp("demo", f"put {host.root / 'catalogue.txt'} incoming/photos/again.txt").returncode == 0
    done = host.run(port=ran.luigid.port)
    assert done.returncode == 0, done.stdout + done.stderr
    assert web.tally.total == before
    assert sorted(one["status"] for one in host.receipts()) == ["published", "received before"]


def test_the_doctor_finds_all_parts_well(ran: House) -> None:
    done = ran.host.landfall("doctor", "--json")
    ill = [one for one in json.loads(done.stdout) if one["state"] == "ill"]
    assert ill == []
    assert done.returncode == 0
