"""What a MongoDB server may do to the image store: away, dying, not primary. Each ends well or in a sentence."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import errors
from pymongo.collection import Collection

from conf.errors import StorageError
from targets.image_store import Inserted, open_store
from targets.image_store.mongo import faults
from tests.contracts.image_store import document, documents, insert, prepare
from tests.servers.cutting import cutting
from tests.servers.mongo import MongoServer, mongo_server
from tests.targets.conftest import mongo_settings, refused

# The first one may have to build the server.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[MongoServer]:
    """A server that may be killed."""
    with mongo_server(tmp_path / "mongo") as server:
        yield server


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "_LONGEST_PAUSE", 0.5)


# Away.


def test_a_server_that_is_away_is_a_sentence(mortal: MongoServer) -> None:
    settings = mongo_settings(mortal, connect_seconds=0.5)
    mortal.kill()
    told = refused(settings)
    assert told.startswith(f"MongoDB at 127.0.0.1:{mortal.port} does not answer: 127.0.0.1:{mortal.port}: [Errno 111]")
    assert "run again: nothing is lost." in told
    assert "Topology" not in told


def test_it_is_waited_for_as_long_as_the_setting_says(mortal: MongoServer) -> None:
    settings = mongo_settings(mortal, connect_seconds=0.2, retry_seconds=3)
    mortal.kill()
    told: list[str] = []
    with open_store(settings, "demo", tell=told.append) as store, pytest.raises(StorageError, match="does not answer"):
        store.insert(documents(1))
    assert len(told) >= 2
    assert "It is tried again in 0." in told[0]


def test_a_server_that_comes_back_is_found(mortal: MongoServer) -> None:
    settings = mongo_settings(mortal, connect_seconds=0.2)
    mortal.kill()
    starts = threading.Thread(target=mortal.start)

    def tell(_: str) -> None:
        with contextlib.suppress(RuntimeError):  # started already
            starts.start()

    with open_store(settings, "demo", prepare=True, tell=tell) as store:
        assert store.insert(documents(1)) == Inserted(new=1, present=0)
    starts.join()


# Dying.


def test_a_server_killed_within_bulks_ends_with_exactly_the_content(
    mortal: MongoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = mongo_settings(mortal, connect_seconds=0.5, batch_bytes=400_000)
    prepare(settings)
    many = documents(*range(600))
    insert_many, calls, killers = Collection.insert_many, 0, list[threading.Thread]()
    one_at_a_time = threading.Lock()  # the store may be answered before the one that starts the server is

    def restart() -> None:
        with one_at_a_time:
            mortal.kill()
            mortal.start()

    def killed_meanwhile(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls in (1, 4, 7):
            killers.append(threading.Thread(target=restart))
            killers[-1].start()
        return insert_many(*arguments, **named)

    told: list[str] = []
    with open_store(settings, "demo", tell=told.append) as store, monkeypatch.context() as patched:
        patched.setattr(Collection, "insert_many", killed_meanwhile)
        done = store.insert(many)
        for killer in killers:
            killer.join()
    assert len(killers) == 3
    assert told
    assert done == Inserted(new=600, present=0)
    with open_store(settings, "demo") as store:
        assert store.count() == 600
        assert list(store.get_many(one.id for one in many)) == many
        assert store.insert(many) == Inserted(new=0, present=600)


@pytest.mark.parametrize("times", [1, 3])
def test_what_was_inserted_without_an_answer_counts_as_new(mongo: MongoServer, times: int) -> None:
    settings = mongo_settings(mongo)
    prepare(settings)
    insert(settings, [5])
    with cutting(mongo.port, b"insert", times) as cut:
        through = settings.model_copy(
            update={"images": settings.images.model_copy(update={"url": f"mongodb://127.0.0.1:{cut.port}"})}
        )
        with open_store(through, "demo", tell=lambda _: None) as store:
            assert store.insert(documents(*range(10))) == Inserted(new=9, present=1)
        assert cut.done == times
    with open_store(settings, "demo") as store:
        assert list(store.get_many(document(number).id for number in range(10))) == documents(*range(10))


# Not primary, and other faults that this server cannot be made to have.


NOT_PRIMARY = {"ok": 0, "code": 10107, "errmsg": "not primary"}


@pytest.mark.parametrize(
    "fault",
    [
        errors.NotPrimaryError("not primary", NOT_PRIMARY),
        errors.NetworkTimeout("timed out"),
        errors.OperationFailure("stepped down", 189),
        errors.OperationFailure("later", 9999, {"errorLabels": ["RetryableWriteError"]}),
        errors.BulkWriteError({"writeErrors": [{"index": 0, "code": 11602, "errmsg": "x"}], "writeConcernErrors": []}),
        errors.BulkWriteError(
            {"writeErrors": [], "writeConcernErrors": [{"code": 64, "errmsg": "slow", "errInfo": {"wtimeout": True}}]}
        ),
        errors.BulkWriteError(
            {
                "writeErrors": [{"index": 1, "code": 11000, "errmsg": "E11000"}],
                "writeConcernErrors": [{"code": 91, "errmsg": "shutting down"}],
            }
        ),
    ],
)
def test_what_may_pass_is_done_again(
    mongo: MongoServer, monkeypatch: pytest.MonkeyPatch, fault: errors.PyMongoError
) -> None:
    settings = mongo_settings(mongo)
    prepare(settings)
    insert(settings, [1])
    told: list[str] = []
    with open_store(settings, "demo", tell=told.append) as store:
        with monkeypatch.context() as patched:
            patched.setattr(Collection, "insert_many", _answering(Collection.insert_many, [fault, fault]))
            assert store.insert(documents(0, 1, 2)) == Inserted(new=2, present=1)
        assert store.count() == 3
    assert len(told) == 2


def _answering(insert_many: Callable[..., Any], answers: list[errors.PyMongoError]) -> Callable[..., Any]:
    """``insert_many``, whose first calls do their work and are answered by these."""

    def attempt(*arguments: Any, **named: Any) -> Any:
        if not answers:
            return insert_many(*arguments, **named)
        with contextlib.suppress(errors.BulkWriteError):
            insert_many(*arguments, **named)
        raise answers.pop(0)

    return attempt


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (errors.OperationFailure("no space", 14031), "is full: no space. Make space there"),
        (errors.OperationFailure("not allowed", 13), "wants a user for"),
        (errors.OperationFailure("what", 1, {"errmsg": "document"}), "refuses the image store"),
        (
            errors.BulkWriteError(
                {
                    "writeErrors": [{"index": 0, "code": 121, "errmsg": "validation", "op": {"image": "A" * 9999}}],
                    "writeConcernErrors": [],
                }
            ),
            "refuses the image store",
        ),
        (
            errors.BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 100, "errmsg": "too few"}]}),
            "too few",
        ),
    ],
)
def test_what_does_not_pass_is_a_sentence_at_once(
    mongo: MongoServer, monkeypatch: pytest.MonkeyPatch, fault: errors.PyMongoError, told: str
) -> None:
    settings = mongo_settings(mongo)
    prepare(settings)
    with open_store(settings, "demo", tell=pytest.fail) as store, monkeypatch.context() as patched:
        patched.setattr(Collection, "insert_many", _answering(Collection.insert_many, [fault]))
        with pytest.raises(StorageError, match=told) as raised:
            store.insert(documents(1))
    assert len(str(raised.value)) < 500
    # What its traceback would print holds no picture either.
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
