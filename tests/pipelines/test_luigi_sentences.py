"""What ``luigi`` says where it fails itself: a sentence and the documented exit code, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.installation import Installation
from tests.servers import free_port


@pytest.fixture
def impatient(tmp_path: Path) -> str:
    """Settings of Luigi that do not wait a minute for its scheduler."""
    file = tmp_path / "luigi.cfg"
    file.write_text("[core]\nrpc_retry_attempts = 2\nrpc_retry_wait = 1\n")
    return str(file)


def test_a_scheduler_that_does_not_answer(installation: Installation, impatient: str) -> None:
    port = free_port()
    ran = installation.luigi(
        "RunClient", "--client", "demo", "--scheduler-port", str(port), LUIGI_CONFIG_PATH=impatient
    )
    assert ran.returncode == 40
    assert f"The scheduler at http://localhost:{port} does not answer" in ran.stderr
    assert "Connection refused" in ran.stderr
    assert "luigid --address 127.0.0.1" in ran.stderr.splitlines()[-1]
    assert "Traceback" not in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["RunClient"], "requires the 'client' parameter to be set. Give it as --name value"),
        (["RunClint", "--client", "demo"], "No task RunClint. Did you mean: RunClient"),
        (["RunClient", "--client", "demo", "--workers", "two"], "Luigi's setting --workers is wrong"),
    ],
)
def test_a_wrong_call(installation: Installation, arguments: list[str], says: str) -> None:
    ran = installation.luigi(*arguments, "--local-scheduler")
    assert ran.returncode == 40
    assert says in ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
