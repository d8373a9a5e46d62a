"""Clients come by SFTP: a real sshd, set up by ``landfall sftp config``, and the real ``sftp`` client."""

from __future__ import annotations

import grp
import json
import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from landfall.sample_web import SampleWeb
from targets.register import identity
from tests.pipelines.test_operations import content
from tests.servers.sftp import SftpHost, sftp_host
from tests.servers.waiting import until

PADDING = 200_000


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, web: SampleWeb) -> Iterator[SftpHost]:
    with sftp_host(tmp_path_factory.mktemp("sftp") / "installation", web.port) as made:
        applied = made.config("--apply")
        assert applied.returncode == 0, applied.stderr
        with made.running():
            yield made


def local(host: SftpHost, name: str, data: bytes, mode: int = 0o644) -> Path:
    """A file on the client's own machine."""
    file = host.root / name
    file.write_bytes(data)
    file.chmod(mode)
    return file


def place(host: SftpHost, *names: str) -> Path:
    return host.landing.joinpath("demo", *names)


def snapshot(host: SftpHost) -> dict[str, Any]:
    """Directories, files, owners and modes as another host would have them."""
    found = {}
    for path in sorted([host.base, *host.base.rglob("*")]):
        status = path.stat()
        owner, group = pwd.getpwuid(status.st_uid).pw_name, grp.getgrgid(status.st_gid).gr_name
        text = path.read_text() if path.suffix not in ("", ".pub") or path.name == "sshd_config" else ""
        name = str(path.relative_to(host.base)).replace(host.prefix, "P")
        found[name] = (
            f"{owner}:{group} {stat.S_IMODE(status.st_mode):04o}".replace(host.prefix, "P"),
            text.replace(str(host.base), "BASE").replace(host.prefix, "P").replace(str(host.sshd), "PORT"),
        )
    return found


def test_what_is_there_is_left_as_it_is(host: SftpHost) -> None:
    before = snapshot(host)
    again = host.config("--apply")
    assert again.stdout == "0 changes; 2 clients looked at.\n", again.stderr
    assert snapshot(host) == before


def test_the_script_makes_the_same_as_apply(host: SftpHost, tmp_path: Path, web: SampleWeb) -> None:
    with sftp_host(tmp_path / "other", web.port) as other:
        script = other.config()
        assert script.returncode == 0, script.stderr
        for _ in range(2):  # it may be repeated
            other.sh(script.stdout)
            assert snapshot(other) == snapshot(host)
        assert other.config("--apply").stdout == "0 changes; 2 clients looked at.\n"
        with other.running():
            assert other.sftp("demo", "ls -l incoming").returncode == 0


def test_a_chroot_is_never_below_what_others_may_change(host: SftpHost) -> None:
    open_to_all = {**host.environment("ada"), "LANDFALL_LANDING__ROOT": "/tmp/landfall-test/landing"}
    command = [sys.executable, "-m", "landfall", "sftp", "config", "--apply"]
    refused = subprocess.run(command, env=open_to_all, capture_output=True, text=True, check=False)
    assert refused.returncode == 78
    assert "/tmp must be root's, and writable to nobody else" in refused.stderr
    assert not Path("/tmp/landfall-test").exists()


def test_a_password_opens_nothing(host: SftpHost) -> None:
    options = ["-o", "PreferredAuthentications=password,keyboard-interactive", "-o", "PubkeyAuthentication=no"]
    refused = host.ssh("demo", *options, "127.0.0.1")
    assert refused.returncode == 255
    assert "Permission denied (publickey)" in refused.stderr


def test_the_key_of_another_opens_nothing(host: SftpHost) -> None:
    refused = host.sftp("demo", "ls", key_of="rival")
    assert refused.returncode == 255
    assert "Permission denied (publickey)" in refused.stderr


def test_an_account_that_is_no_clients_is_not_let_in(host: SftpHost) -> None:
    refused = host.ssh("demo", "127.0.0.1", user="root")
    assert "Permission denied (publickey)" in refused.stderr


@pytest.mark.parametrize("arguments", [["127.0.0.1"], ["127.0.0.1", "id"], ["-tt", "127.0.0.1", "sh"]])
def test_there_is_no_shell_and_no_command(host: SftpHost, arguments: list[str]) -> None:
    tried = host.ssh("demo", *arguments)
    assert "uid=" not in tried.stdout
    # What answers is the SFTP server, which takes the end of input as the end.
    assert "This service allows sftp connections only." in tried.stdout + tried.stderr or tried.stdout == ""


@pytest.mark.parametrize("option", ["-R127.0.0.1:0:127.0.0.1:22", "-R/incoming/photos/s:127.0.0.1:22"])
def test_no_port_is_forwarded_here(host: SftpHost, option: str) -> None:
    tried = host.ssh("demo", "-N", "-o", "ExitOnForwardFailure=yes", option, "127.0.0.1")
    assert tried.returncode == 255
    assert "forwarding failed" in tried.stderr


def test_no_connection_is_passed_on(host: SftpHost) -> None:
    tried = host.ssh("demo", "-W", f"127.0.0.1:{host.sshd}", "127.0.0.1")
    assert tried.returncode == 255
    assert "SSH-2.0" not in tried.stdout
    assert "prohibited" in tried.stderr


@pytest.mark.parametrize(
    "command",
    [
        "ls /rival",
        "ls ../rival",
        "ls ../../../../srv",
        "cd ../rival/incoming",
        "get /etc/passwd stolen",
        "get ../../.claimed stolen",
        "mkdir ../rival/incoming/photos/x",
        "put {file} /x.txt",
        "put {file} /incoming/x.txt",
        "mkdir /incoming/feed",
        "rmdir /incoming/photos",
        "rename /incoming/photos /incoming/pictures",
        "rename /outbox /o",
        "put {file} /outbox/x.txt",
        "put {file} /outbox/photos/x.txt",
        "rm /outbox/photos/old.receipt.json",
        "rename /outbox/photos/old.receipt.json /incoming/photos/r",
        "chmod 777 /outbox/photos",
        "chmod 777 /outbox/photos/old.receipt.json",
        "chmod 777 /incoming",
        "chown 0 /incoming/photos",
    ],
)
def test_what_is_out_of_a_clients_reach(host: SftpHost, command: str) -> None:
    file = local(host, "x.txt", b"x")
    receipt = place(host, "outbox/photos/old.receipt.json")
    receipt.write_text("{}")
    receipt.chmod(0o640)
    before = snapshot(host)
    tried = host.sftp("demo", command.format(file=file))
    assert tried.returncode == 1, tried.stdout
    assert "Permission denied" in tried.stderr or "not found" in tried.stderr or "No such file" in tried.stderr
    assert snapshot(host) == before
    assert not (host.root / "stolen").exists()
    assert host.sftp("demo", f"get outbox/photos/old.receipt.json {host.root}/own").returncode == 0
    receipt.unlink()


@pytest.fixture
def _emptied(host: SftpHost) -> Iterator[None]:
    """Has the client's outbox emptied after the test."""
    yield
    for file in host.outbox.iterdir():
        file.unlink()


@pytest.mark.usefixtures("_emptied")
def test_links_lead_nowhere(host: SftpHost) -> None:
    """Made by a client over SFTP; what they name is looked up in its own chroot by sshd, and never by a run."""
    secret = host.landing / "rival/incoming/photos/secret.txt"
    secret.write_text("rival's")
    links = ["absolute", "relative", "own"]
    tried = host.sftp(
        "demo",
        "cd incoming/photos",
        f"symlink {secret} absolute",
        "symlink ../../../rival/incoming/photos/secret.txt relative",
        f"-get absolute {host.root}/stolen",
        f"-get relative {host.root}/stolen",
        f"put {local(host, 'x.txt', b'x')} whole",
        "ln whole own",
    )
    assert tried.returncode == 0, tried.stderr
    assert not (host.root / "stolen").exists()
    done = run_as_runner(host)
    assert done == {
        "absolute": "upload.not_a_file",
        "relative": "upload.not_a_file",
        "own": "upload.linked",
        "whole": "upload.linked",
    }
    assert secret.read_text() == "rival's"
    assert [path for path in place(host, "incoming/photos").iterdir() if path.name in links] == []
    secret.unlink()


# Claims and answers as the runner, which is not root: what is imported later it might not be allowed to read.
_AS_RUNNER = """
import json, os, pwd, sys
from conf.client import load_client
from conf.settings import load_settings
from targets.landing import Landing
settings = load_settings()
landing = Landing(settings.landing_root, load_client("demo"), settings.landing)
runner = pwd.getpwnam(sys.argv[1])
os.setgroups([])
os.setgid(runner.pw_gid)
os.setuid(runner.pw_uid)
os.umask(0o077)
said = {}
for claim in landing.claim():
    said[claim.name] = claim.refused.code if claim.refused else claim.drop
    landing.acknowledge(claim, {"name": claim.name}, None)
print(json.dumps(said))
"""


def run_as_runner(host: SftpHost) -> dict[str, str]:
    """What a run takes and answers: each upload's drop, or why it is refused."""
    command = [sys.executable, "-c", _AS_RUNNER, host.runner]
    environment = {**host.environment(), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, str] = json.loads(done.stdout)
    return said


@pytest.mark.usefixtures("_emptied")
def test_a_runner_that_is_not_root_takes_and_answers(host: SftpHost, tmp_path: Path) -> None:
    puts = [f"put {local(host, f'mode-{mode:o}', b'x' * mode, mode)} incoming/photos" for mode in (0o644, 0o640, 0o600)]
    assert host.sftp("demo", *puts).returncode == 0
    uploaded = place(host, "incoming/photos/mode-644").stat()
    assert (pwd.getpwuid(uploaded.st_uid).pw_name, stat.S_IMODE(uploaded.st_mode)) == (host.user("demo"), 0o640)
    assert run_as_runner(host) == {
        "mode-644": drop_of(b"x" * 0o644),
        "mode-640": drop_of(b"x" * 0o640),
        "mode-600": "upload.unreadable",
    }
    receipts = [json.loads(file.read_text())["name"] for file in host.answers("demo", tmp_path / "got")]
    assert receipts == ["mode-600", "mode-640", "mode-644"]
    for file in host.outbox.iterdir():
        status = file.stat()
        assert grp.getgrgid(status.st_gid).gr_name == host.user("demo")
        assert stat.S_IMODE(status.st_mode) == 0o640


def test_another_local_user_reaches_nothing(host: SftpHost) -> None:
    rival = pwd.getpwnam(host.user("rival"))
    for path in ("demo/outbox/photos", "demo/incoming/photos", ".claimed", ".refused", "demo"):
        command = ["ls", str(host.landing / path)]
        tried = subprocess.run(
            command, user=rival.pw_uid, group=rival.pw_gid, extra_groups=[], capture_output=True, check=False
        )
        assert tried.returncode == 2


def drop_of(data: bytes) -> str:
    digest = identity("demo", "photos")
    digest.update(data)
    return digest.hexdigest()


@pytest.mark.usefixtures("_emptied")
def test_uploads_that_break_off_are_taken_once_they_are_whole(host: SftpHost) -> None:
    sent, broken, size = {}, [], 300_000
    for number in range(12):
        name, data = f"{number}.txt", bytes(f"{number}\n" * (size // 2), "ascii")[:size]
        file, part = local(host, name, data), f"incoming/photos/{name}.part"
        killed = host.sftp("demo", f"put {file} {part}", cut=2_000 + number * (size // 12))
        assert killed.returncode < 0
        arrived = place(host, part)
        if arrived.exists():
            assert arrived.stat().st_size < size
            broken.append(part)
        if number % 4 == 3:
            continue  # this client never comes back
        again = "reput" if arrived.exists() else "put"
        resumed = host.sftp("demo", f"{again} {file} {part}", f"rename {part} incoming/photos/{name}")
        assert resumed.returncode == 0, resumed.stderr
        sent[name] = drop_of(data)
    assert len(broken) > 8
    assert run_as_runner(host) == sent
    left = {path.name for path in place(host, "incoming/photos").iterdir()}
    assert left == {"3.txt.part", "7.txt.part", "11.txt.part"}
    assert host.sftp("demo", "rm incoming/photos/*").returncode == 0


@pytest.fixture(scope="module")
def done(host: SftpHost, web: SampleWeb) -> None:
    """Uploads to three feeds, each interrupted, some of them resumed; then one run."""
    size = len(pad(web, 0))
    for number in range(2):
        file, goal = local(host, f"{number}.txt", pad(web, number)), f"incoming/photos/{number}.txt"
        assert host.sftp("demo", f"put {file} {goal}.part", cut=size // 2).returncode < 0
        if number == 0:
            assert host.sftp("demo", f"reput {file} {goal}.part", f"rename {goal}.part {goal}").returncode == 0
    scans(host, web, size)
    slides(host, web, size)
    ran = host.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr


def pad(web: SampleWeb, seed: int) -> bytes:
    """A small catalogue in a large file: blank lines are no lines. One line is bad."""
    return content(web, 3, seed=100 + seed) + b"ftp://bad/1/2\n" + b"\n" * PADDING


def scans(host: SftpHost, web: SampleWeb, size: int) -> None:
    """With a sidecar: one killed, one killed and resumed, one whole without its sidecar."""
    sidecar = local(host, "sidecar", b"")
    for number, end in enumerate(("", "reput {file} {goal}|put {sidecar} {goal}.done", "put {file} {goal}")):
        file, goal = local(host, f"scan{number}.txt", pad(web, 20 + number)), f"incoming/scans/scan{number}.txt"
        assert host.sftp("demo", f"put {file} {goal}", cut=size // 2).returncode < 0
        if end:
            commands = end.format(file=file, goal=goal, sidecar=sidecar).split("|")
            assert host.sftp("demo", *commands).returncode == 0


def slides(host: SftpHost, web: SampleWeb, size: int) -> None:
    """That stand still: one interrupted and resumed, which is taken once it has settled."""
    file = local(host, "slide.txt", pad(web, 30))
    assert host.sftp("demo", f"put {file} incoming/slides/slide.txt", cut=size // 2).returncode < 0
    assert {upload["name"]: upload["complete"] for upload in uploads(host)}["slide.txt"] is False
    assert host.sftp("demo", f"reput {file} incoming/slides/slide.txt").returncode == 0
    until(lambda: {upload["name"]: upload["complete"] for upload in uploads(host)}["slide.txt"], "the slide settles")


def uploads(host: SftpHost) -> list[dict[str, Any]]:
    status = host.landfall("status", "--client", "demo", "--json")
    assert status.returncode == 0, status.stderr
    found: list[dict[str, Any]] = json.loads(status.stdout)[0]["uploads"]
    return found


@pytest.mark.slow
@pytest.mark.usefixtures("done")
def test_a_run_takes_exactly_what_is_complete(host: SftpHost) -> None:
    left = {f"{path.parent.name}/{path.name}" for path in place(host, "incoming").glob("*/*")}
    assert left == {"photos/1.txt.part", "scans/scan0.txt", "scans/scan2.txt"}
    rows = host.rows("SELECT name, count(*) AS n FROM fact_image_request JOIN dim_drop USING (drop_key) GROUP BY name")
    assert {row["name"]: row["n"] for row in rows} == dict.fromkeys(["0.txt", "scan1.txt", "slide.txt"], 4)


@pytest.mark.slow
@pytest.mark.usefixtures("done")
def test_clients_fetch_their_own_answers(host: SftpHost, tmp_path: Path) -> None:
    files = host.answers("demo", tmp_path / "got")
    found = [json.loads(file.read_text()) for file in files if file.suffix == ".json"]
    assert sorted(receipt["name"] for receipt in found) == ["0.txt", "scan1.txt", "slide.txt"]
    for receipt in found:
        assert receipt["status"] == "published"
        assert (receipt["counts"]["ok"], receipt["counts"]["quarantined"]) == (3, 1)
        assert "ftp://bad/1/2" in (tmp_path / "got" / receipt["rejects"]).read_text()
    assert host.answers("rival", tmp_path / "rival") == []


def test_a_key_that_was_taken_away_opens_nothing(host: SftpHost) -> None:
    file = host.conf / "clients/rival.toml"
    kept = file.read_text()
    assert host.sftp("rival", "ls").returncode == 0
    try:
        for change in (lambda: file.write_text(kept.replace("keys = ", "keys = [] # ")), file.unlink):
            change()
            applied = host.config("--apply")
            assert applied.returncode == 0, applied.stderr
            assert f"keys/{host.user('rival')} removed" in applied.stdout
            assert "Permission denied (publickey)" in host.sftp("rival", "ls").stderr
            file.write_text(kept)
            assert host.config("--apply").returncode == 0
            assert host.sftp("rival", "ls").returncode == 0
    finally:
        file.write_text(kept)


def test_a_broken_file_shuts_no_client_out(host: SftpHost) -> None:
    file = host.conf / "clients/rival.toml"
    kept = file.read_text()
    try:
        file.write_text(kept.replace("ssh-ed25519", "ssh-dss"))
        applied = host.config("--apply")
        assert applied.returncode == 78
        assert "rival.toml: sftp.keys[0]" in applied.stderr
        assert host.sftp("rival", "ls").returncode == 0
    finally:
        file.write_text(kept)


def test_a_new_feed_needs_no_restart(host: SftpHost) -> None:
    host.write_client("rival", "photos")
    assert host.config("--apply").returncode == 0
    file = host.conf / "clients/rival.toml"
    file.write_text(file.read_text().replace("[feeds.photos]", "[feeds.paintings]"))
    applied = host.config("--apply")
    assert "incoming/paintings made" in applied.stdout
    assert host.sftp("rival", f"put {local(host, 'x.txt', b'x')} incoming/paintings").returncode == 0


def test_an_account_made_anew_has_its_number_again(host: SftpHost) -> None:
    name = host.user("rival")
    before = pwd.getpwnam(name)
    assert before.pw_uid >= 20_000
    host.sh(f"userdel --force {name}")
    (host.directory / "numbers" / f"{host.prefix}-first").write_text(f"{before.pw_uid + 5}\n")
    host.write_client("aardvark", key_of="rival")
    applied = host.config("--apply")
    assert applied.returncode == 0, applied.stderr
    again, other = pwd.getpwnam(name), pwd.getpwnam(host.user("aardvark"))
    assert (again.pw_uid, again.pw_gid) == (before.pw_uid, before.pw_gid)
    assert other.pw_uid not in (before.pw_uid, before.pw_uid + 5)
    assert host.sftp("rival", "ls incoming/photos").returncode == 0
    (host.conf / "clients/aardvark.toml").unlink()
    assert host.config("--apply").returncode == 0
