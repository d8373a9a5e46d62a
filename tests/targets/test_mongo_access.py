"""Who is let in to a MongoDB server, and by what it shows that it is the one: users, passwords, certificates, TLS."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from pymongo import errors

from conf.errors import AccessDenied, ConfigError, StorageError
from conf.settings import Settings
from targets.image_store import open_store
from targets.image_store.mongo import MongoImageStore, faults, place_of
from tests.contracts.image_store import document, prepare
from tests.servers.cutting import cutting
from tests.servers.mongo import Certificate, MongoServer, mongo_server
from tests.targets.conftest import mongo_settings, refused

# The first one may have to build the server.
pytestmark = pytest.mark.timeout(900)


def of(settings: Settings, **mongo: object) -> Settings:
    """The settings with others of [mongo]."""
    return settings.model_copy(update={"mongo": settings.mongo.model_copy(update=mongo)})


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
