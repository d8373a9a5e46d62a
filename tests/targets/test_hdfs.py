"""HDFS: the contract on a real NameNode and DataNode, by either transport, and what only HDFS can do."""

from __future__ import annotations

import io
import os
import pickle
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conf.errors import AlreadyExists, ConfigError, LeaseLost, StorageError
from conf.settings import Settings
from targets.dataset import Dataset, Manifest, staging
from targets.filesystem import LeaseHeld
from targets.hdfs import HdfsFileSystem, HdfsPlace
from targets.hdfs.lease import Times
from targets.lake import open_lake, prepare_client
from tests.contracts.filesystem import FileSystemContract
from tests.servers import free_port
from tests.servers.hdfs import SERVICE, HdfsCluster
from tests.servers.waiting import until

WRITER = """
import pickle, sys
fs = pickle.loads(bytes.fromhex(sys.argv[2]))
with fs.writer(sys.argv[1]) as file:
    file.write(b"x" * 3_000_000)
    print("writing", flush=True)
    sys.stdin.read()
"""
HOLDER = """
import pickle, sys
fs = pickle.loads(bytes.fromhex(sys.argv[2]))
with fs.lease(sys.argv[1], "holder") as lease:
    print("held", flush=True)
    sys.stdin.readline()
    try:
        lease.check()
        print("still held", flush=True)
    except Exception as error:
        print(type(error).__name__, flush=True)
"""


def place(hdfs: HdfsCluster, transport: str = "rpc") -> HdfsPlace:
    return HdfsPlace(url=hdfs.url, transport=transport, web=(hdfs.webhdfs,), login=SERVICE, patience=20)


@pytest.fixture
def root(hdfs: HdfsCluster) -> str:
    path = f"/tests/{uuid.uuid4().hex}"
    hdfs.make_directory(path, SERVICE, SERVICE)
    return path


@pytest.fixture
def fs(hdfs: HdfsCluster) -> HdfsFileSystem:
    return HdfsFileSystem(place(hdfs))


@pytest.fixture
def quick(fs: HdfsFileSystem) -> HdfsFileSystem:
    """Leases that expire within seconds."""
    return replace(fs, leases=Times(expiry=4))


class TestRpc(FileSystemContract):
    pass


class TestWeb(FileSystemContract):
    @pytest.fixture
    def fs(self, hdfs: HdfsCluster) -> HdfsFileSystem:
        return HdfsFileSystem(place(hdfs, "web"))


def child(code: str, path: str, fs: HdfsFileSystem) -> subprocess.Popen[str]:
    """A process that runs code and has printed its first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, path, pickle.dumps(fs).hex()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


@pytest.mark.parametrize("transport", ["rpc", "web"])
def test_large_files_are_read_at_any_offset(hdfs: HdfsCluster, root: str, transport: str) -> None:
    fs = HdfsFileSystem(place(hdfs, transport))
    content = os.urandom(5_000_000)
    with fs.writer(f"{root}/a") as file:
        for start in range(0, len(content), 70_001):
            file.write(content[start : start + 70_001])
    with fs.open(f"{root}/a") as file:
        for start, length in ((4_999_990, 100), (0, 10), (1_234_567, 2_500_000)):
            file.seek(start)
            assert file.read(length) == content[start : start + length]
        file.seek(-5, io.SEEK_END)
        assert file.read() == content[-5:]


def test_parquet_by_row_groups(fs: HdfsFileSystem, root: str) -> None:
    table = pa.table({"number": range(10_000), "text": [f"row {number}" for number in range(10_000)]})
    with fs.writer(f"{root}/table.parquet") as file:
        pq.write_table(table, pa.PythonFile(file, mode="w"), row_group_size=1000)
    with fs.open(f"{root}/table.parquet") as file:
        assert pq.ParquetFile(file).read_row_group(7, ["number"]).column(0).to_pylist() == [*range(7000, 8000)]


def test_what_a_killed_writer_leaves_is_invisible_and_swept(fs: HdfsFileSystem, root: str) -> None:
    process = child(WRITER, f"{root}/a/b", fs)
    process.kill()
    process.communicate()
    assert fs.list(f"{root}/a") == []
    assert len(fs.names(f"{root}/a")) == 1
    fs.sweep(root)
    assert fs.names(f"{root}/a") == []


@pytest.mark.parametrize("transport", ["rpc", "web"])
def test_below_a_directory_that_is_closed_to_others_all_is(hdfs: HdfsCluster, root: str, transport: str) -> None:
    fs = HdfsFileSystem(place(hdfs, transport))
    fs.make_directory(f"{root}/a")
    fs.create(f"{root}/a/b/c", b"x")
    fs.make_directory(f"{root}/a/d/e")
    fs.rename(f"{root}/a/b/c", f"{root}/a/f/g/c")
    names = {name: fs.status(f"{root}/a{name}") for name in ("", "/b", "/d", "/d/e", "/f", "/f/g", "/f/g/c")}
    assert {name: oct(one.mode) for name, one in names.items()} == {
        **dict.fromkeys(names, "0o750"),
        "/f/g/c": "0o640",
    }
    assert {one.owner for one in names.values()} == {SERVICE}


def test_it_travels_to_a_worker(fs: HdfsFileSystem) -> None:
    assert pickle.loads(pickle.dumps(fs)) == fs


def test_a_lease_is_never_taken_from_a_live_holder(quick: HdfsFileSystem, root: str) -> None:
    process = child(HOLDER, f"{root}/lease", quick)
    deadline = time.monotonic() + 3 * quick.leases.expiry
    while time.monotonic() < deadline:
        with pytest.raises(LeaseHeld) as held, quick.lease(f"{root}/lease", "other"):
            pass
        assert held.value.holder == "holder"
        time.sleep(0.2)
    assert process.communicate("\n")[0] == "still held\n"
    assert quick.names(root) == []


def follow(fs: HdfsFileSystem, path: str) -> None:
    """Takes the lease over as soon as it can be, checks it and gives it up."""

    def taken() -> bool:
        try:
            with fs.lease(path, "next") as lease:
                assert fs.lease_holder(path) == "next"
                lease.check()
        except LeaseHeld:
            return False
        return True

    until(taken, "the lease is taken over", seconds=60)


def test_a_dead_holder_is_followed(quick: HdfsFileSystem, root: str) -> None:
    process = child(HOLDER, f"{root}/lease", quick)
    assert quick.lease_holder(f"{root}/lease") == "holder"
    process.kill()
    process.communicate()
    follow(quick, f"{root}/lease")
    assert quick.names(root) == []


def test_a_dead_holder_is_nobody(quick: HdfsFileSystem, root: str) -> None:
    process = child(HOLDER, f"{root}/lease", quick)
    process.kill()
    process.communicate()
    until(lambda: quick.lease_holder(f"{root}/lease") is None, "the lease expires", seconds=60)


@pytest.mark.slow
def test_a_dead_holder_is_followed_within_a_minute_as_it_is_set(fs: HdfsFileSystem, root: str) -> None:
    process = child(HOLDER, f"{root}/lease", fs)
    process.kill()
    process.communicate()
    follow(fs, f"{root}/lease")


def test_a_holder_that_was_stopped_for_too_long_hears_of_it(quick: HdfsFileSystem, root: str) -> None:
    process = child(HOLDER, f"{root}/lease", quick)
    process.send_signal(signal.SIGSTOP)
    follow(quick, f"{root}/lease")
    with quick.lease(f"{root}/lease", "third"):
        process.send_signal(signal.SIGCONT)
        assert process.communicate("\n")[0] == "LeaseLost\n"
        # Neither its check nor its giving up does any harm to whoever holds the lease now.
        assert quick.lease_holder(f"{root}/lease") == "third"


def test_the_clock_of_the_holder_does_not_count(
    quick: HdfsFileSystem, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = child(HOLDER, f"{root}/lease", quick)
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + 86_400)
    with pytest.raises(LeaseHeld), quick.lease(f"{root}/lease", "other"):
        pass
    assert quick.lease_holder(f"{root}/lease") == "holder"
    process.communicate("\n")


def test_a_lost_lease_puts_nothing_in_place(quick: HdfsFileSystem, root: str) -> None:
    with quick.lease(f"{root}/lease", "me") as lease:
        (entry,) = quick.names(f"{root}/lease")
        quick.move(f"{root}/lease/{entry.name}", f"{root}/lease/{uuid.uuid4().hex}-0")
        with pytest.raises(LeaseLost, match="took over lease"):
            lease.check()
    assert len(quick.names(f"{root}/lease")) == 1


def test_what_is_no_lease_is_a_sentence(fs: HdfsFileSystem, root: str) -> None:
    fs.create(f"{root}/lease/strange", b"")
    with pytest.raises(StorageError, match="no lease"), fs.lease(f"{root}/lease", "me"):
        pass


def test_another_user_is_refused_with_a_sentence(hdfs: HdfsCluster, root: str) -> None:
    fs = HdfsFileSystem(place(hdfs))
    fs.make_directory(f"{root}/mine")
    fs.create(f"{root}/mine/a", b"secret")
    for transport in ("rpc", "web"):
        stranger = HdfsFileSystem(replace(place(hdfs, transport), login="mallory"))
        for attempt in (
            lambda fs=stranger: fs.read(f"{root}/mine/a"),
            lambda fs=stranger: fs.list(f"{root}/mine"),
            lambda fs=stranger: fs.create(f"{root}/mine/b", b""),
            lambda fs=stranger: fs.remove(f"{root}/mine"),
        ):
            with pytest.raises(StorageError, match=r"mallory may not .*docs/hdfs.md") as denied:
                attempt()
            assert "org.apache" not in str(denied.value)


@pytest.mark.parametrize("transport", ["rpc", "web"])
def test_work_is_done_as_the_client(hdfs: HdfsCluster, root: str, transport: str) -> None:
    hdfs.make_directory(f"{root}/demo", "landfall-demo", "landfall-demo", "750")
    client = HdfsFileSystem(replace(place(hdfs, transport), user="landfall-demo"))
    client.create(f"{root}/demo/a", b"x")
    assert client.status(f"{root}/demo/a").owner == "landfall-demo"
    with pytest.raises(StorageError, match=f"{SERVICE} may not"):
        HdfsFileSystem(place(hdfs, transport)).read(f"{root}/demo/a")
    with pytest.raises(StorageError, match="landfall-acme may not"):
        HdfsFileSystem(replace(place(hdfs, transport), user="landfall-acme")).read(f"{root}/demo/a")


def test_who_may_not_act_as_the_client_is_told_what_to_set(hdfs: HdfsCluster) -> None:
    fs = HdfsFileSystem(replace(place(hdfs, "web"), login="mallory", user="landfall-demo"))
    with pytest.raises(StorageError, match=r"does not let mallory act as landfall-demo.*hadoop\.proxyuser\.mallory"):
        fs.exists("/")


def test_rename_onto_what_is_there_by_either_transport(hdfs: HdfsCluster, root: str) -> None:
    for transport in ("rpc", "web"):
        fs = HdfsFileSystem(place(hdfs, transport))
        fs.make_directory(f"{root}/{transport}/from")
        fs.make_directory(f"{root}/{transport}/goal")
        with pytest.raises(AlreadyExists):
            fs.rename(f"{root}/{transport}/from", f"{root}/{transport}/goal")
        assert fs.list(f"{root}/{transport}/goal") == []


def test_who_was_followed_puts_no_output_in_place(quick: HdfsFileSystem, root: str) -> None:
    goal = Dataset(quick, f"{root}/build=b1")
    manifest = Manifest("land", "b1", "demo", "photos", "d", 1, {}, {}, {}, {}, {})
    with (
        quick.lease(f"{root}/leases/stage", "me") as lease,
        staging(goal, f"{root}/staging", resumable=False, lease=lease) as place,
    ):
        quick.create(place.table("t") + "/part", b"x")
        (entry,) = quick.names(f"{root}/leases/stage")
        quick.move(f"{root}/leases/stage/{entry.name}", f"{root}/leases/stage/{uuid.uuid4().hex}-0")
        with pytest.raises(LeaseLost):
            place.seal(manifest)
        assert not goal.exists()


def test_the_other_of_a_pair_is_asked(hdfs: HdfsCluster, root: str) -> None:
    dead, alive = f"127.0.0.1:{free_port()}", hdfs.url.removeprefix("hdfs://")
    for transport in ("rpc", "web"):
        settings = Settings(
            env="test",
            lake={"url": f"hdfs://pair{root}"},
            hdfs={
                "transport": transport,
                "user": SERVICE,
                "namenodes": f"{dead} {alive}",
                "web": f"http://{dead} {hdfs.webhdfs}",
                "patience_seconds": 5,
            },
        )
        fs = HdfsFileSystem(HdfsPlace.of(settings, None))
        fs.create(f"{root}/{transport}", b"x")
        assert fs.read(f"{root}/{transport}") == b"x"


def test_a_lake_of_another_env_is_refused(hdfs: HdfsCluster, root: str) -> None:
    settings = Settings(env="test", lake={"url": f"{hdfs.url}{root}"}, hdfs={"user": SERVICE})
    open_lake(settings)
    with pytest.raises(ConfigError, match=f"{root} belongs to the environment test, this is dev"):
        open_lake(settings.model_copy(update={"env": "dev"}))


def test_a_client_gets_a_tree_of_its_own(hdfs: HdfsCluster, root: str) -> None:
    """By the superuser; who is none is told what the superuser has to run."""
    chosen = {"as_client": "landfall-{client}", "group": "landfall-{client}"}
    settings = Settings(env="test", lake={"url": f"{hdfs.url}{root}"}, hdfs={"user": SERVICE, **chosen})
    with pytest.raises(StorageError, match=rf"hdfs dfs -chown landfall-demo:landfall-demo {root}/test/clients/demo"):
        prepare_client(settings, "demo")
    assert HdfsFileSystem(place(hdfs)).names(f"{root}/test/clients") == []
    settings = Settings(env="test", lake={"url": f"{hdfs.url}{root}"}, hdfs={"user": hdfs.superuser, **chosen})
    for _ in range(2):
        prepare_client(settings, "demo")
    fs = open_lake(settings, "demo")
    assert isinstance(fs, HdfsFileSystem)
    made = fs.status(f"{root}/test/clients/demo")
    assert (made.owner, made.group, oct(made.mode)) == ("landfall-demo", "landfall-demo", "0o750")
    fs.create(f"{root}/test/clients/demo/a", b"x")
    with pytest.raises(StorageError, match="landfall-acme may not"):
        open_lake(settings, "acme").read(f"{root}/test/clients/demo/a")
