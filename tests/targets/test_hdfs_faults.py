"""What HDFS does to us: each fault a sentence after bounded patience, nothing half-written, and right again after."""

from __future__ import annotations

import os
import signal
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from conf.errors import StorageError
from targets.hdfs import HdfsFileSystem, HdfsPlace
from tests.servers.hdfs import SERVICE, HdfsCluster

TRANSPORTS = ["rpc", "web"]


@pytest.fixture(scope="module")
def frail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HdfsCluster]:
    """An HDFS of this module's own, which its tests may break."""
    with HdfsCluster(tmp_path_factory.mktemp("frail") / "cluster") as running:
        yield running


@pytest.fixture
def whole(frail: HdfsCluster) -> Iterator[HdfsCluster]:
    """The same, all of it running, and mended afterwards."""
    yield frail
    frail.start_namenode(wait=False)
    frail.start_datanode()


@pytest.fixture
def root(whole: HdfsCluster) -> str:
    path = f"/tests/{uuid.uuid4().hex}"
    whole.make_directory(path, SERVICE, SERVICE)
    return path


def fs_of(hdfs: HdfsCluster, transport: str, patience: float = 1, timeout: float = 60) -> HdfsFileSystem:
    place = HdfsPlace(
        url=hdfs.url, transport=transport, web=(hdfs.webhdfs,), login=SERVICE, patience=patience, timeout=timeout
    )
    return HdfsFileSystem(place)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_safe_mode(whole: HdfsCluster, root: str, transport: str) -> None:
    fs = fs_of(whole, transport)
    fs.create(f"{root}/before", b"x")
    whole.safe_mode(on=True)
    try:
        with pytest.raises(StorageError, match=r"is in safe mode.*safemode get"):
            fs.create(f"{root}/a", b"x")
        assert fs.read(f"{root}/before") == b"x"
        patient = threading.Thread(target=fs_of(whole, transport, 90).create, args=(f"{root}/b", b"y"))
        patient.start()
    finally:
        whole.safe_mode(on=False)
    patient.join()
    assert fs.read(f"{root}/b") == b"y"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_quotas(whole: HdfsCluster, root: str, transport: str) -> None:
    fs = fs_of(whole, transport)
    whole.quota(root, names=2)
    fs.create(f"{root}/a", b"x")
    with pytest.raises(StorageError, match=r"quota of names.*setQuota"):
        fs.create(f"{root}/b", b"x")
    whole.quota(root, space=1 << 20)
    with pytest.raises(StorageError, match=r"quota of space.*setSpaceQuota"):
        fs.create(f"{root}/b", b"x")
    whole.quota(root)
    fs.create(f"{root}/b", b"y")
    assert [entry.name for entry in fs.list(root)] == ["a", "b"]
    fs.sweep(root)
    assert len(fs.names(root)) == 2


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_namenode_that_is_gone_and_comes_back(whole: HdfsCluster, root: str, transport: str) -> None:
    fs = fs_of(whole, transport, timeout=5)
    fs_of(whole, transport, patience=30).create(f"{root}/a", b"x")
    whole.stop_namenode(signal.SIGKILL)
    with pytest.raises(StorageError, match=r"does not answer.*NameNode"):
        fs.read(f"{root}/a")
    found = []
    patient = threading.Thread(target=lambda: found.append(fs_of(whole, transport, 120, timeout=5).read(f"{root}/a")))
    patient.start()
    whole.start_namenode()
    patient.join()
    assert found == [b"x"]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_namenode_that_hangs(whole: HdfsCluster, root: str, transport: str) -> None:
    fs = fs_of(whole, transport, timeout=2)
    fs_of(whole, transport, patience=30).create(f"{root}/a", b"x")
    whole.signal("namenode", signal.SIGSTOP)
    try:
        with pytest.raises(StorageError, match="does not answer"):
            fs.exists(f"{root}/a")
    finally:
        whole.signal("namenode", signal.SIGCONT)
    assert fs_of(whole, transport, patience=30).read(f"{root}/a") == b"x"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_datanode_that_goes_in_the_middle_of_a_write(whole: HdfsCluster, root: str, transport: str) -> None:
    fs, content = fs_of(whole, transport, patience=2, timeout=20), os.urandom(8 << 20)
    with pytest.raises(StorageError, match="Run again"), fs.writer(f"{root}/a") as file:
        file.write(content[: 4 << 20])
        whole.stop_datanode(signal.SIGKILL)
        for start in range(4 << 20, len(content), 1 << 20):
            file.write(content[start : start + (1 << 20)])
    assert not fs.exists(f"{root}/a")
    whole.start_datanode()
    fs_of(whole, transport, patience=60).create(f"{root}/a", content)
    assert fs.read(f"{root}/a") == content


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_datanode_that_goes_in_the_middle_of_a_read(whole: HdfsCluster, root: str, transport: str) -> None:
    content = os.urandom(8 << 20)
    fs = fs_of(whole, transport, patience=2, timeout=20)
    fs.create(f"{root}/a", content)
    with fs_of(whole, transport, patience=90, timeout=20).open(f"{root}/a") as patient:
        assert patient.read(1 << 20) == content[: 1 << 20]
        whole.stop_datanode(signal.SIGKILL)
        with pytest.raises(StorageError, match=r"Run again|run again"):
            fs.read(f"{root}/a")
        whole.start_datanode()
        assert patient.read() == content[1 << 20 :]


def test_a_lease_outlives_a_namenode_that_comes_back(whole: HdfsCluster, root: str) -> None:
    fs = fs_of(whole, "rpc", patience=60)
    with fs.lease(f"{root}/lease", "me") as lease:
        whole.stop_namenode()
        whole.start_namenode()
        lease.check()
        assert fs.lease_holder(f"{root}/lease") == "me"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def secure(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HdfsCluster]:
    """WebHDFS by https alone."""
    tls = (authority, authority.issue_cert("localhost", "127.0.0.1"))
    with HdfsCluster(tmp_path_factory.mktemp("tls") / "cluster", tls=tls) as running:
        running.make_directory("/tests", SERVICE, SERVICE)
        yield running


def web_place(hdfs: HdfsCluster, ca_file: Path | str) -> HdfsPlace:
    return HdfsPlace(
        url=hdfs.url, transport="web", web=(hdfs.webhdfs,), login=SERVICE, patience=1, ca_file=str(ca_file)
    )


def test_bytes_and_names_go_by_https(secure: HdfsCluster) -> None:
    fs = HdfsFileSystem(web_place(secure, secure.conf / "ca.pem"))
    content = os.urandom(3 << 20)
    fs.create("/tests/a", content)
    assert fs.read("/tests/a") == content


def test_a_certificate_of_another_authority_is_refused(secure: HdfsCluster, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    for ca_file in ("", tmp_path / "other.pem"):
        with pytest.raises(StorageError, match=r"not trusted here.*hdfs\.ca_file"):
            HdfsFileSystem(web_place(secure, ca_file)).exists("/tests")


def test_a_certificate_of_another_host_is_refused(secure: HdfsCluster) -> None:
    place = web_place(secure, secure.conf / "ca.pem")
    other = secure.webhdfs.replace("localhost", "127.0.0.2")
    with pytest.raises(StorageError, match=r"not trusted here|does not answer"):
        HdfsFileSystem(replace(place, web=(other,))).exists("/tests")
