"""docker/Dockerfile and what it is made of; `make docker-check` builds it and runs the demo in it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from conf.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker/Dockerfile").read_text(encoding="utf-8")
STAGES = {
    found[2]: (found[1], found[3])
    for found in re.finditer(r"^FROM (\S+) AS (\S+)\n(.*?)(?=^FROM |\Z)", TEXT, re.MULTILINE | re.DOTALL)
}


def versions(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^ ;\\]+)", file.read_text(encoding="utf-8"), re.MULTILINE))


def test_every_stage_stands_on_debian_or_on_another() -> None:
    assert STAGES.keys() == {"build", "landfall", "sftp", "ldap"}
    for base, _ in STAGES.values():
        assert base == "debian:bookworm-slim" or base in STAGES


@pytest.mark.parametrize(("stage", "user"), [("landfall", "10001:10001"), ("ldap", "10002:10002"), ("sftp", "root")])
def test_who_runs_and_who_looks(stage: str, user: str) -> None:
    _, body = STAGES[stage]
    assert re.findall(r"^USER (\S+)", body, re.MULTILINE)[-1] == user
    assert "HEALTHCHECK" in body
    assert re.findall(r"^CMD \[", body, re.MULTILINE)


def test_nothing_above_the_sftp_servers_directory_is_anybodys_but_roots() -> None:
    """Else sshd would not trust it, and `landfall sftp config --apply` would refuse to make it."""
    given = re.findall(r"install -d -o (?!root)\S+ (?:-g \S+ )?(?:-m \S+ )?(.*?)(?: \\)?$", TEXT, re.MULTILINE)
    assert given
    paths = {Path(path) for line in given for path in line.split()}
    above = {*Path(Settings(env="test").sftp.directory).parents, Path("/srv/landfall")}
    assert not paths & above


def test_layers_hold_no_lists_and_no_secrets() -> None:
    for run in re.findall(r"^RUN (?:.*\\\n)*.*", TEXT, re.MULTILINE):
        if "apt-get install" in run:
            assert "--no-install-recommends" in run
            assert "rm -rf /var/lib/apt/lists/*" in run
    assert not re.search(r"^(ARG|ENV).*(PASSWORD|TOKEN|SECRET)", TEXT, re.MULTILINE | re.IGNORECASE)
    assert "--mount=type=secret" in TEXT
    assert "--require-hashes" in TEXT


def test_what_is_installed_is_what_is_tested() -> None:
    image, tested = versions(ROOT / "docker/requirements.lock"), versions(ROOT / "requirements.lock")
    assert image.items() <= tested.items()
    assert {"luigi", "pyspark", "pydantic"} <= image.keys()
    assert not {"pytest", "mypy", "ruff"} & image.keys()


def test_the_context_holds_what_is_copied_and_little_else() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "*"
    kept = {line.removeprefix("!") for line in lines if line.startswith("!")}
    packages = {"conf", "targets", "auth", "spark_jobs", "pipelines", "landfall"}
    assert packages <= kept
    for file in re.findall(r"^COPY (?!--from)(\S+) ", TEXT, re.MULTILINE):
        assert file == "." or file in kept
        assert (ROOT / file).exists()


@pytest.mark.parametrize(
    "script", ["check.sh", "make-secrets.sh", "ldap-server", "sftp-server", "try-ldap", "try-sftp"]
)
def test_scripts_are_sound(script: str) -> None:
    file = ROOT / "docker" / script
    shell = file.read_text(encoding="utf-8").splitlines()[0].rsplit("/", 1)[-1].split()[-1]
    subprocess.run([shell, "-n", str(file)], check=True)
    assert file.stat().st_mode & 0o111
