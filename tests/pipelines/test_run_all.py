"""One run for every client that the caller may run, and a run of one feed alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.installation import Installation

CLIENT = 'client = "{client}"\n[feeds.photos]\nkind = "images"\nsources = ["127.0.0.1:9"]\n[feeds.scans]\nkind = "images"\nsources = ["127.0.0.1:9"]\n'  # noqa: E501
GRANT = '\n[[grants]]\ngroup = "operators"\nrole = "operator"\nclient = "{client}"\nfeeds = {feeds}\n'


@pytest.fixture
def installed(tmp_path: Path) -> Installation:
    """Clients demo, acme and other, which olga may run, and rival, which she may not; in each an empty file waits."""
    installation = Installation(tmp_path / "installation", port=9).prepare()
    for client in ("acme", "demo", "other", "rival"):
        (installation.conf / "clients" / f"{client}.toml").write_text(CLIENT.format(client=client))
        if client not in ("demo", "rival"):
            grant(installation, client)
        wait(installation, client, "photos")
    return installation


def grant(installation: Installation, client: str, feeds: str = '"*"') -> None:
    with (installation.conf / "grants.toml").open("a") as file:
        file.write(GRANT.format(client=client, feeds=feeds))


def wait(installation: Installation, client: str, feed: str) -> None:
    """An upload that is refused, so that no Spark is needed to answer it."""
    place = installation.home / "landing" / client / "incoming" / feed
    place.mkdir(parents=True, exist_ok=True)
    (place / "empty.txt").touch()


def answers(installation: Installation, client: str) -> list[str]:
    outbox = installation.home / "landing" / client / "outbox"
    return sorted(file.parent.name for file in outbox.rglob("*.receipt.json"))


def test_every_client_that_the_caller_may_run(installed: Installation) -> None:
    ran = installed.luigi("RunAll", "--local-scheduler")
    assert ran.returncode == 0, ran.stderr
    assert "Left out, for they may not be run by who asks: rival" in ran.stderr
    assert [answers(installed, client) for client in ("acme", "demo", "other", "rival")] == [["photos"]] * 3 + [[]]
    assert not (installed.home / "logs/rival").exists()
    again = installed.luigi("RunAll", "--local-scheduler")
    assert again.returncode == 0, again.stderr


def test_one_clients_failure_touches_no_other(installed: Installation) -> None:
    (installed.conf / "clients/demo.toml").write_text("client = 3\n")
    ran = installed.luigi("RunAll", "--local-scheduler")
    assert ran.returncode == 30
    assert "demo.toml: client is 3; it must be a text in quotes." in ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
    assert [answers(installed, client) for client in ("acme", "other")] == [["photos"]] * 2


def test_who_may_run_nothing_is_told_so(installed: Installation) -> None:
    ran = installed.luigi("RunAll", "--local-scheduler", user="vera")
    assert ran.returncode == 30
    assert "None of the clients may be run." in ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
    assert not installed.lake.exists()


def test_shares_divide_the_clients(installed: Installation) -> None:
    for index in range(2):
        ran = installed.luigi("RunAll", "--index", str(index), "--of", "2", "--local-scheduler")
        assert ran.returncode in (0, 30), ran.stderr  # a share may hold rival alone
    assert [answers(installed, client) for client in ("acme", "demo", "other")] == [["photos"]] * 3
    wrong = installed.luigi("RunAll", "--index", "2", "--of", "2", "--local-scheduler")
    assert wrong.returncode == 35
    assert "shares are numbered from 0 to 1" in wrong.stderr


def test_a_run_of_one_feed_leaves_the_others_alone(installed: Installation) -> None:
    wait(installed, "demo", "scans")
    ran = installed.luigi("RunClient", "--client", "demo", "--feed", "scans", "--local-scheduler")
    assert ran.returncode == 0, ran.stderr
    assert answers(installed, "demo") == ["scans"]
    assert (installed.home / "landing/demo/incoming/photos/empty.txt").exists()


def test_a_run_of_a_feed_that_is_none_is_a_sentence(installed: Installation) -> None:
    ran = installed.luigi("RunClient", "--client", "demo", "--feed", "scan", "--local-scheduler")
    assert ran.returncode == 30
    assert "Client demo has no feed scan. Its feeds are: photos, scans; did you mean 'scans'?" in ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr


def test_a_run_of_a_feed_asks_the_gate_for_that_feed(installed: Installation) -> None:
    grant(installed, "rival", '["scans"]')
    wait(installed, "rival", "scans")
    denied = installed.luigi("RunClient", "--client", "rival", "--feed", "photos", "--local-scheduler")
    assert denied.returncode == 30
    assert "olga may run on some feeds of client rival, not on feed photos." in denied.stderr
    assert answers(installed, "rival") == []
    assert installed.luigi("RunClient", "--client", "rival", "--local-scheduler").returncode == 0
    assert answers(installed, "rival") == ["scans"]
