"""The main job with its pictures in MongoDB: the same content as with SQLite, whatever becomes of the server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from landfall.sample_web import SampleWeb, catalogue
from tests.installation import Installation
from tests.servers.mongo import MongoServer, mongo_server

# The first one may have to build the server.
pytestmark = pytest.mark.timeout(900)

LINES = 300
SEED = 20261125


@pytest.fixture(scope="module")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    with mongo_server(tmp_path_factory.mktemp("mongo")) as server:
        yield server


@pytest.fixture(scope="module")
def content(web: SampleWeb) -> bytes:
    return b"".join(line.content + b"\n" for line in catalogue(web.url, LINES, seed=SEED))


@pytest.fixture(scope="module")
def plain(installed: Callable[[str], Installation], content: bytes) -> Installation:
    """A run whose pictures went into SQLite."""
    made = installed("sqlite")
    made.upload("catalogue.txt", content)
    assert made.run().returncode == 0
    return made


@pytest.fixture(scope="module")
def done(installed: Callable[[str], Installation], content: bytes, mongo: MongoServer) -> Installation:
    """A run whose pictures went into MongoDB."""
    made = with_mongo(installed("mongo"), mongo, "whole")
    made.upload("catalogue.txt", content)
    ran = made.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return made


def with_mongo(installation: Installation, server: MongoServer, name: str, **mongo: object) -> Installation:
    """Has the installation keep its pictures in databases of its own on the server."""
    settings = {"tls": False, "database": f"{name}_{{env}}_{{client}}", "connect_seconds": 1, **mongo}
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
    with (installation.conf / "test.toml").open("a") as file:
        file.write(f'\n[images]\nurl = "{server.url}"\n[mongo]\n{lines}')
    return installation


def sentences(installation: Installation, stage: str) -> list[str]:
    """What the run log says of a stage, in order."""
    logs = sorted(Path(installation.home / "logs" / installation.client).glob("2*.jsonl"))
    entries = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    return [entry["event"] for entry in entries if entry.get("stage") == stage]


def test_the_content_is_that_of_a_run_with_sqlite(done: Installation, plain: Installation, mongo: MongoServer) -> None:
    assert done.digest() == plain.digest()
    assert not (done.home / "images").exists()
    (stored,) = done.rows("SELECT count(*) AS pictures FROM dim_image")
    with mongo.client() as client:
        assert client["whole_test_demo"].images.count_documents({"client": "demo"}) == stored["pictures"] > 200
    assert "pictures are new in the image store, 0 were there already" in " ".join(sentences(done, "store"))


def test_pictures_are_listed_written_and_verified(done: Installation, tmp_path: Path) -> None:
    (row,) = done.rows("SELECT image_id, image_digest FROM dim_image ORDER BY image_id LIMIT 1")
    got = done.landfall("images", "get", row["image_id"], "--client", "demo", "--output", str(tmp_path / "one.jpg"))
    assert got.returncode == 0, got.stderr
    verified = done.landfall("images", "verify", "--client", "demo")
    assert verified.returncode == 0, verified.stdout
    assert "all as published" in verified.stdout


def test_what_is_lost_is_put_back_what_is_harmed_is_told_and_an_emptied_store_is_filled(
    done: Installation, mongo: MongoServer
) -> None:
    before = done.digest()
    (stored,) = done.rows("SELECT count(*) AS pictures FROM dim_image")
    with mongo.client() as client:
        images = client["whole_test_demo"].images
        harmed, *lost = images.distinct("_id")[::10]
        images.update_one({"_id": harmed}, {"$set": {"image": "AAAA"}})
        for id_ in lost:
            images.delete_one({"_id": id_})
        told = done.landfall("images", "rebuild", "--client", "demo", "--feed", "photos")
        assert told.returncode == 65
        assert f" {len(lost)} put back, " in told.stdout
        assert "1 picture in the store is not what was made" in told.stdout

        client.drop_database("whole_test_demo")
        assert done.landfall("images", "verify", "--client", "demo").returncode == 65
        filled = done.landfall("images", "rebuild", "--client", "demo")
        assert filled.returncode == 0, filled.stdout + filled.stderr
        assert f"{stored['pictures']} pictures of 1 drop: {stored['pictures']} put back, 0 were there." in filled.stdout
        assert f"The store holds all {stored['pictures']} pictures that the star names" in filled.stdout
        assert done.digest() == before


@pytest.mark.parametrize("user", ["vera", "stranger", None])
def test_who_may_not_act_rebuilds_nothing(done: Installation, user: str | None) -> None:
    assert done.landfall("images", "rebuild", "--client", "demo", user=user).returncode == 77


@pytest.mark.slow
def test_a_server_that_is_away_fails_the_stage_with_a_sentence_and_the_next_run_goes_on(
    installation: Installation, plain: Installation, content: bytes, tmp_path: Path
) -> None:
    with mongo_server(tmp_path / "mongo") as server:
        with_mongo(installation, server, "away", retry_seconds=1)
        server.kill()
        installation.upload("catalogue.txt", content)
        failed = installation.run()
        assert failed.returncode != 0
        said = failed.stdout + failed.stderr
        assert f"MongoDB at 127.0.0.1:{server.port} does not answer" in said
        assert "Traceback" not in said
        assert any("It is tried again in" in sentence for sentence in sentences(installation, "store"))
        told = installation.landfall("images", "verify", "--client", "demo")
        assert "Traceback" not in told.stderr
        server.start()
        assert installation.run().returncode == 0
        assert installation.digest() == plain.digest()


@pytest.mark.slow
def test_a_server_killed_within_the_stage_is_waited_for(
    installation: Installation, plain: Installation, content: bytes, tmp_path: Path
) -> None:
    with mongo_server(tmp_path / "mongo") as server:
        with_mongo(installation, server, "killed", batch_bytes=4_000)
        installation.upload("catalogue.txt", content)
        runs = threading.Thread(target=lambda: ended.append(installation.run()))
        ended: list[Any] = []
        runs.start()
        with server.client() as client:
            while runs.is_alive() and not client["killed_test_demo"].images.count_documents({}):
                time.sleep(0.02)
        assert runs.is_alive()
        server.kill()
        while runs.is_alive() and not any("tried again" in one for one in sentences(installation, "store")):
            time.sleep(0.05)
        server.start()
        runs.join()
        (ran,) = ended
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert any("It is tried again in" in sentence for sentence in sentences(installation, "store"))
        assert installation.digest() == plain.digest()
        assert "0 were there already" in " ".join(sentences(installation, "store"))
