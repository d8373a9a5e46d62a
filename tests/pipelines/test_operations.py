"""What operators meet: no grant, wrong configuration, two runs at once, a full disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from landfall.sample_web import SampleWeb, catalogue
from tests.installation import Installation
from tests.pipelines.holding import held


def content(web: SampleWeb, lines: int, seed: int = 1) -> bytes:
    """A catalogue without faults."""
    return b"".join(line.content + b"\n" for line in catalogue(web.url, lines, seed=seed, faults={}))


@pytest.mark.parametrize("user", [None, "vera", "stranger"])
def test_without_a_grant_nothing_is_read_or_written(installation: Installation, user: str | None) -> None:
    installation.upload("a.txt", b"http://127.0.0.1/1/2\n")
    ran = installation.run(user)
    assert ran.returncode == 30
    assert "Traceback" not in ran.stdout + ran.stderr
    assert [file.name for file in installation.incoming.iterdir()] == ["a.txt"]
    assert not installation.lake.exists()
    audit = [json.loads(line) for line in (installation.home / "logs/audit.jsonl").read_text().splitlines()]
    assert {entry["allowed"] for entry in audit} == {False}


def test_a_wrong_password_is_a_sentence(installation: Installation) -> None:
    (installation.root / "olga").write_text("wrong")
    ran = installation.run()
    assert ran.returncode == 30
    assert "Traceback" not in ran.stdout + ran.stderr
    assert "wrong" not in ran.stdout + ran.stderr.replace("password is wrong", "")


def test_a_wrong_client_file_says_all_at_once(installation: Installation) -> None:
    installation.configure('complete = "never"\nsources = []\nmax_transient = "200%"\nsised = 3')
    ran = installation.run()
    assert ran.returncode == 30
    output = ran.stdout + ran.stderr
    assert "Traceback" not in output
    for key in ("complete", "sources", "max_transient", "sised"):
        assert key in output


def test_a_transform_that_cannot_be_imported_claims_nothing(installation: Installation) -> None:
    brought = installation.root / "site" / "broken-1.dist-info"
    brought.mkdir(parents=True)
    (brought / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (brought / "entry_points.txt").write_text("[landfall.transforms]\nsepia = nowhere:TRANSFORM\n")
    installation.configure('transforms = ["sepia"]')
    installation.upload("a.txt", b"")
    ran = installation.run(PYTHONPATH=os.pathsep.join([str(brought.parent), *sys.path]))
    assert ran.returncode == 30
    assert "sepia cannot be imported from nowhere:TRANSFORM" in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
    assert [file.name for file in installation.incoming.iterdir()] == ["a.txt"]
    installation.configure()
    says = "The last run failed: The transform sepia"
    assert says in installation.landfall("status", "--client", "demo").stdout
    assert installation.run().returncode == 0
    assert [receipt["status"] for receipt in installation.receipts()] == ["refused"]
    assert "The last run failed" not in installation.landfall("status", "--client", "demo").stdout


def land(installation: Installation, drop: str, user: str = "olga") -> subprocess.CompletedProcess[str]:
    """Runs one stage alone."""
    stage = ["--module", "pipelines", "Land", "--client", "demo", "--feed", "photos", "--drop", drop]
    return subprocess.run(
        [installation.luigi_command()[0], *stage, "--local-scheduler"],
        env=installation.environment(user),
        cwd=installation.root,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("drop", ["abc", "0" * 64])
def test_a_stage_of_a_drop_that_is_none_is_a_sentence(installation: Installation, drop: str) -> None:
    done = land(installation, drop)
    output = done.stdout + done.stderr
    assert done.returncode == 35
    assert f"There is no drop '{drop}' of feed 'photos' of client 'demo'. `landfall status` lists them." in output
    assert str(installation.lake) not in output
    assert "Traceback" not in output


def test_a_stage_alone_is_refused_without_a_grant(installation: Installation) -> None:
    done = land(installation, "0" * 64, "vera")
    assert done.returncode == 30
    assert "vera is viewer of client demo, which does not allow run" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not installation.lake.exists()


def test_more_worker_processes_are_refused(installation: Installation) -> None:
    done = subprocess.run(
        [*installation.luigi_command(), "--workers", "2"],
        env=installation.environment(),
        cwd=installation.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 30
    assert "--workers" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_two_runs_at_once_do_each_drop_once(installation: Installation, web: SampleWeb) -> None:
    for number in range(2):
        installation.upload(f"{number}.txt", content(web, 40, seed=number))
    runs = [installation.start() for _ in range(2)]
    assert [run.wait(timeout=200) for run in runs] == [0, 0]
    assert [receipt["status"] for receipt in installation.receipts()] == ["published"] * 2
    assert installation.rows("SELECT count(*) AS n FROM fact_image_request") == [{"n": 80}]
    assert list(installation.incoming.iterdir()) == []


def test_an_upload_that_arrives_during_a_run_is_done_in_it(installation: Installation, web: SampleWeb) -> None:
    installation.upload("first.txt", content(web, 10))
    with held(installation, ["validate"]) as run:
        assert run.stage() == "validate"
        installation.upload("second.txt", content(web, 10, seed=2))
        run.go_on()
        assert run.stage() == "validate"
        run.go_on()
        code, said = run.end()
    assert code == 0, said
    assert [(receipt["name"], receipt["counts"]["ok"]) for receipt in installation.receipts()] == [
        ("first.txt", 10),
        ("second.txt", 10),
    ]


def test_a_registered_drop_keeps_its_configuration_and_one_that_cannot_be_processed_keeps_no_other_back(
    installation: Installation, web: SampleWeb
) -> None:
    with SampleWeb(seed=3, process=True) as away:
        own = Installation(installation.root / "own", away.port).prepare()
        own.upload("a.txt", content(away, 30))
        away.pause()
        assert own.run().returncode == 30
        # The transform that the drop was registered with has gone since; and the client's file is another.
        (registered,) = (own.lake / "drops/photos").iterdir()
        kept = registered.read_text()
        registered.write_text(kept.replace('"grayscale"', '"gone"'))
        own.configure(f'transforms = ["grayscale", "thumbnail"]\nsources = ["127.0.0.1:{web.port}"]')
        own.upload("b.txt", content(web, 10) + content(away, 20, seed=2))
        ran = own.run()
        assert ran.returncode == 30
        assert "There is no transform" in ran.stdout + ran.stderr
        assert "Traceback" not in ran.stdout + ran.stderr
        (other,) = own.receipts()
        assert (other["name"], other["counts"]["ok"]) == ("b.txt", 10)
        assert {rule["rule"]: rule["lines"] for rule in other["rules"]} == {"url.host_not_allowed": 20}
        assert "There is no transform" in own.landfall("logs", "--client", own.client).stdout
        # Of its own configuration, the drop is processed still.
        registered.write_text(kept)
        away.resume()
        assert own.run().returncode == 0
        assert [(receipt["name"], receipt["counts"]["ok"]) for receipt in own.receipts()] == [
            ("a.txt", 30),
            ("b.txt", 10),
        ]


def test_catalogues_without_a_good_line_are_published(installation: Installation) -> None:
    for name, content in {"blank": b"\n \n", "faults": b"ftp://a/1/2\nno url\n", "one line": b"x" * 100_000}.items():
        installation.upload(name, content)
    ran = installation.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [(receipt["name"], receipt["status"]) for receipt in installation.receipts()] == [
        ("blank", "published"),
        ("faults", "published"),
        ("one line", "published"),
    ]
    counts = [receipt["counts"] for receipt in installation.receipts()]
    assert [(each["lines"], each["ok"], each["quarantined"], each["blank"]) for each in counts] == [
        (0, 0, 0, 2),
        (2, 0, 2, 0),
        (1, 0, 1, 0),
    ]


def test_uploads_that_cannot_be_taken(installation: Installation) -> None:
    installation.upload("empty.txt", b"")
    (installation.incoming / "link.txt").symlink_to("/etc/passwd")
    ran = installation.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [(receipt["name"], receipt["rule"]) for receipt in installation.receipts()] == [
        ("empty.txt", "upload.empty"),
        ("link.txt", "upload.not_a_file"),
    ]
    assert list(installation.incoming.iterdir()) == []


def test_a_full_disk_is_a_sentence_and_the_work_goes_on(installation: Installation, web: SampleWeb) -> None:
    disk = installation.root / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", disk], check=False).returncode:
        pytest.skip("may not mount a tmpfs")
    try:
        installation.upload("a.txt", content(web, 200))
        full = installation.run(LANDFALL_LAKE__URL=str(disk))
        assert full.returncode == 30
        assert "Make space on the disk and run again" in full.stdout + full.stderr
        assert "Traceback" not in full.stdout + full.stderr
        assert installation.receipts() == []
        subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
        done = installation.run(LANDFALL_LAKE__URL=str(disk))
        assert done.returncode == 0, done.stdout + done.stderr
        (receipt,) = installation.receipts()
        assert receipt["counts"]["ok"] == 200
        assert not list(disk.rglob("_staging/*"))
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
