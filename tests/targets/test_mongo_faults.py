"""What a MongoDB server may do to the image store: away, dying, another's, silent. Each ends well or in a sentence."""

from __future__ import annotations

import contextlib
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from pymongo import errors
from pymongo.collection import Collection

from conf.errors import AccessDenied, ConfigError, StorageError
from conf.settings import Settings
from targets.image_store import Inserted, open_store
from targets.image_store.mongo import MongoImageStore, faults, place_of
from tests.contracts.image_store import document, documents, insert, prepare
from tests.servers.cutting import cutting
from tests.servers.mongo import Certificate, MongoServer, mongo_server
from tests.targets.conftest import mongo_settings

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


def of(settings: Settings, **mongo: object) -> Settings:
    """The settings with others of [mongo]."""
    return settings.model_copy(update={"mongo": settings.mongo.model_copy(update=mongo)})


def refused(settings: Settings) -> str:
    """The sentence with which the store cannot be read."""
    with open_store(settings, "demo") as store, pytest.raises(StorageError) as raised:
        store.count()
    assert raised.value.fix
    return str(raised.value)


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


# Another's.


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[MongoServer]:
    """A server that speaks TLS and lets nobody in without a user; its certificate is for localhost."""
    place = tmp_path_factory.mktemp("private")
    issued = authority.issue_cert("localhost")
    issued.private_key_and_cert_chain_pem.write_to_path(str(place / "chain.pem"))
    issued.private_key_pem.write_to_path(str(place / "key.pem"))
    authority.cert_pem.write_to_path(str(place / "ca.pem"))
    certificate = Certificate(place / "chain.pem", place / "key.pem", place / "ca.pem")
    with mongo_server(place, certificate, users=True) as server:
        yield server


def password(place: Path, text: str) -> Path:
    place.write_text(f"{text}\n")
    place.chmod(0o600)
    return place


@pytest.fixture
def proper(private: MongoServer, tmp_path: Path) -> Settings:
    """Settings under which each of two clients has a user and a password."""
    assert private.certificate
    settings = mongo_settings(
        private,
        connect_seconds=2,
        ca_file=str(private.certificate.authority),
        user="of-{client}",
        auth_source="{database}",
        password_file=f"{tmp_path}/{{client}}",
    )
    for client in ("demo", "acme"):
        private.add_user(place_of(settings, client).database, f"of-{client}", f"word of {client}")
        password(tmp_path / client, f"word of {client}")
    return settings


def test_each_client_comes_over_tls_with_a_user_and_database_of_its_own(proper: Settings) -> None:
    for client, number in (("demo", 1), ("acme", 2)):
        with open_store(proper, client, prepare=True) as store:
            store.insert([document(number, client=client)])
    with open_store(proper, "demo") as store:
        assert list(store.ids()) == [document(1).id]
    assert place_of(proper, "demo").database != place_of(proper, "acme").database


def test_the_user_of_another_client_is_not_let_in(proper: Settings, tmp_path: Path) -> None:
    prepare(proper)
    wrong = of(proper, user="of-acme", password_file=f"{tmp_path}/acme")
    told = refused(wrong)
    assert "does not let the user 'of-acme' of t" in told
    assert "word of" not in told


def test_a_wrong_password_is_a_sentence_without_it(proper: Settings, tmp_path: Path) -> None:
    password(tmp_path / "demo", "guessed")
    told = refused(proper)
    assert "does not let the user 'of-demo'" in told
    assert f"See to mongo.user, mongo.auth_source and the file {tmp_path}/demo." in told
    assert "guessed" not in told


def test_nobody_is_let_in_without_a_user(proper: Settings) -> None:
    told = refused(of(proper, user=""))
    assert "wants a user for" in told
    assert "Name it in mongo.user" in told


def test_a_user_without_a_right_is_a_sentence(proper: Settings) -> None:
    place = place_of(proper, "demo")
    told = str(faults.sentence(place, errors.OperationFailure("not authorized on x to execute command {...}", 13)))
    assert f"does not allow the user 'of-demo' to use {place.database}. Grant it its role" in told


def test_the_password_is_in_nothing_that_is_shown(proper: Settings) -> None:
    place = place_of(proper, "demo")
    with MongoImageStore(place) as store:
        store.count()
        shown = f"{place!r} {place} {proper!r} {store._open!r}"
    assert "word of demo" not in shown


def test_a_password_file_that_is_open_to_others_is_refused(proper: Settings, tmp_path: Path) -> None:
    (tmp_path / "demo").chmod(stat.S_IRUSR | stat.S_IROTH)
    with open_store(proper, "demo") as store, pytest.raises(AccessDenied, match="chmod 600"):
        store.count()


@pytest.mark.parametrize(("setting", "file"), [("password_file", "none/demo"), ("ca_file", "none.pem")])
def test_a_missing_file_is_a_sentence(proper: Settings, tmp_path: Path, setting: str, file: str) -> None:
    with open_store(of(proper, **{setting: f"{tmp_path}/{file}"}), "demo") as store:
        told = f"There is no file {tmp_path}/{file}, which mongo.{setting} names"
        with pytest.raises(ConfigError, match=told):
            store.count()


def test_a_user_without_a_password_file_is_a_sentence(proper: Settings) -> None:
    told = r"mongo\.password_file names no file"
    with open_store(of(proper, password_file=""), "demo") as store, pytest.raises(ConfigError, match=told):
        store.count()


# A certificate that is wrong.


def test_an_authority_that_is_not_trusted_is_a_sentence(proper: Settings, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    told = refused(of(proper, ca_file=f"{tmp_path}/other.pem"))
    assert "shows a certificate that is not trusted" in told
    assert "Name its authority's file in mongo.ca_file" in told


def test_a_certificate_of_another_host_is_a_sentence(proper: Settings, private: MongoServer) -> None:
    images = proper.images.model_copy(update={"url": f"mongodb://127.0.0.1:{private.port}"})
    told = refused(proper.model_copy(update={"images": images}))
    assert "shows a certificate that is not trusted: IP address mismatch" in told


def test_neither_is_waited_for(proper: Settings, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    wrong = of(proper, ca_file=f"{tmp_path}/other.pem")
    with open_store(wrong, "demo", tell=pytest.fail) as store, pytest.raises(StorageError):
        store.count()


def test_a_server_without_tls_is_a_sentence(mongo: MongoServer) -> None:
    told = refused(mongo_settings(mongo, tls=True, connect_seconds=3))
    # Of a handshake that the server leaves hanging, the driver may or may not know yet when its time is over.
    assert "does not answer: " in told
    assert "mongo.tls is on" in told


def test_an_answer_that_is_no_tls_is_not_waited_for(mongo: MongoServer) -> None:
    with cutting(mongo.port, b"", 0, greeting=b"220 mail.example\r\n") as other:
        images = {"url": f"mongodb://127.0.0.1:{other.port}"}
        settings = Settings(env="test", images=images, mongo={"connect_seconds": 0.5})
        with open_store(settings, "demo", tell=pytest.fail) as store, pytest.raises(StorageError) as raised:
            store.count()
        assert str(raised.value).startswith(f"What answers at 127.0.0.1:{other.port} does not speak TLS.")


def test_a_server_with_tls_is_not_reached_without(proper: Settings) -> None:
    told = refused(of(proper, tls=False, connect_seconds=3))
    assert "does not answer" in told
    assert "mongo.tls is off" in told


def test_a_file_that_holds_no_authority_is_a_sentence(proper: Settings, tmp_path: Path) -> None:
    (tmp_path / "ca.txt").write_text("no certificate")
    assert "mongo.ca_file" in refused(of(proper, ca_file=f"{tmp_path}/ca.txt"))
