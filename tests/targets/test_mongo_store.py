"""The image store in MongoDB: the contract, and what only a server can do. Its server: tests/servers/mongo.py."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import pybase64
import pytest

from conf.errors import ConfigError, Damaged, StorageError
from conf.settings import Settings
from targets.image_store import ImageDocument, Inserted, open_store
from targets.image_store.mongo import MongoImageStore, clients, place_of
from targets.image_store.mongo.documents import bulks
from tests.contracts.image_store import ImageStoreContract, document, documents, insert, prepare
from tests.servers.mongo import MongoServer
from tests.targets.conftest import mongo_settings

# The first one may have to build the server.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def settings(mongo: MongoServer) -> Settings:
    return mongo_settings(mongo)


@pytest.fixture
def database(mongo: MongoServer, settings: Settings) -> Iterator[Any]:
    """The client's database, to be looked at and harmed."""
    with mongo.client() as client:
        yield client[place_of(settings, "demo").database]


class TestMongoImageStore(ImageStoreContract):
    pass


def large(number: int) -> ImageDocument:
    """A picture whose base64 passes the limit of a document."""
    content = random.Random(number).randbytes(13_000_000)
    return document(number, image=pybase64.b64encode(content).decode(), digest=sha256(content).hexdigest())


def test_prepare_makes_the_indexes_and_nothing_else_does(settings: Settings, database: Any) -> None:
    prepare(settings)
    made = {name: sorted(database[name].index_information()) for name in sorted(database.list_collection_names())}
    assert made == {
        "images": ["_id_", "feed_drop", "original"],
        "landfall": ["_id_"],
        "large.chunks": ["_id_", "files_id_1_n_1"],
        "large.files": ["_id_", "filename_1_uploadDate_1"],
    }
    database.images.drop_indexes()
    prepare(settings)
    insert(settings, [1])
    assert sorted(database.images.index_information()) == ["_id_"]


def test_each_environment_and_client_has_a_database_of_its_own() -> None:
    given = {"images": {"url": "mongodb://a.example:27017,b.example/?replicaSet=r"}}
    places = [place_of(Settings(env="test", **given), "demo"), place_of(Settings(env="dev", **given), "demo")]
    assert [place.database for place in places] == ["landfall_test_demo", "landfall_dev_demo"]
    assert str(places[0]) == "landfall_test_demo at a.example:27017,b.example"
    mongo = {"user": "u-{client}", "auth_source": "{database}", "password_file": "/run/{env}/{client}"}
    place = place_of(Settings(env="test", **given, mongo=mongo), "demo")
    assert (place.user, place.auth_source, str(place.password_file)) == (
        "u-demo",
        "landfall_test_demo",
        "/run/test/demo",
    )


def test_a_name_that_mongo_does_not_take_is_a_sentence() -> None:
    settings = Settings(env="test", images={"url": "mongodb://a"})
    place_of(settings, "a" * 49)
    with pytest.raises(ConfigError, match=r"has 64 characters; MongoDB takes 63: make mongo\.database shorter"):
        place_of(settings, "a" * 50)


def test_the_database_of_another_environment_or_client_is_refused(settings: Settings, database: Any) -> None:
    prepare(settings)
    insert(settings, [1])
    for overrides in ({"env": "prod"}, {"client": "acme"}):
        database.landfall.update_one({}, {"$set": {"env": "test", "client": "demo", **overrides}})
        for attempt in (lambda: prepare(settings), lambda: insert(settings, [2])):
            with pytest.raises(ConfigError, match=r"not of demo in test: see to mongo\.database"):
                attempt()


def test_the_database_of_a_later_version_is_refused(settings: Settings, database: Any) -> None:
    prepare(settings)
    database.landfall.update_one({}, {"$set": {"version": 2}})
    with pytest.raises(StorageError, match="later version of Landfall"):
        insert(settings, [1])


def test_bulks_have_a_bound_of_bytes() -> None:
    rows = [{"_id": number, "image": "A" * size} for number, size in enumerate((40, 50, 20, 300, 10, 90))]
    assert [[row["_id"] for row in bulk] for bulk in bulks(rows, 100)] == [[0, 1], [2], [3], [4, 5]]


@pytest.mark.parametrize("bytes_", [1, 20_000])
def test_bulks_of_any_size_store_the_same(mongo: MongoServer, bytes_: int) -> None:
    settings = mongo_settings(mongo, batch_bytes=bytes_)
    prepare(settings)
    with open_store(settings, "demo") as store:
        assert store.insert(documents(3, *range(20), 3)) == Inserted(new=20, present=2)
        assert list(store.get_many(document(number).id for number in range(20))) == documents(*range(20))


@pytest.mark.parametrize("overrides", [{"source": "\ud800"}, {"bytes": 2**64}, {"source": "a" * (16 << 20)}])
def test_what_no_document_can_hold_is_a_sentence(settings: Settings, overrides: dict[str, Any]) -> None:
    prepare(settings)
    with open_store(settings, "demo") as store:
        with pytest.raises(StorageError, match="cannot be stored in") as raised:
            store.insert([document(1), document(2, **overrides)])
        assert len(str(raised.value)) < 1000
        assert store.count() == 0


@pytest.mark.parametrize(
    "harm",
    [
        {"$unset": {"image": ""}},
        {"$set": {"image": 5}},
        {"$set": {"width": "640"}},
        {"$set": {"inserted": "yesterday"}},
        {"$set": {"transforms": ["grayscale", 1]}},
        {"$set": {"large": "0" * 64}},
    ],
)
def test_a_harmed_document_is_damage(settings: Settings, database: Any, harm: dict[str, Any]) -> None:
    prepare(settings)
    insert(settings, [1, 2])
    database.images.update_one({"_id": document(1).id}, harm)
    with open_store(settings, "demo") as store:
        with pytest.raises(Damaged, match="is damaged"):
            store.get(document(1).id)
        assert store.get(document(2).id) == document(2)


@pytest.mark.parametrize(
    "harm",
    [
        lambda database: database["large.chunks"].delete_one({"n": 7}),
        lambda database: database["large.chunks"].update_one({"n": 7}, {"$set": {"data": b"\0" * 255 * 1024}}),
        lambda database: database["large.files"].delete_one({}),
    ],
)
def test_a_harmed_large_picture_is_damage(settings: Settings, database: Any, harm: Callable[[Any], Any]) -> None:
    prepare(settings)
    with open_store(settings, "demo") as store:
        store.insert([large(1)])
        harm(database)
        with pytest.raises(Damaged, match="is not whole"):
            store.get(document(1).id)


class _KilledAt(MongoImageStore):
    """Dies before its n-th bulk."""

    left = 0

    def _insert_new(self, collection: str, bulk: list[dict[str, Any]]) -> int:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._insert_new(collection, bulk)


@pytest.mark.parametrize("bulks_done", [0, 1, 4, 8, 9, 10])
def test_a_writer_killed_within_a_large_picture_leaves_no_half_one(mongo: MongoServer, bulks_done: int) -> None:
    settings = mongo_settings(mongo, batch_bytes=2 << 20)
    prepare(settings)
    pid = os.fork()
    if pid == 0:
        # A child of its own, so that the kill is its end.
        try:
            store = _KilledAt(place_of(settings, "demo"))
            store.left = bulks_done
            store.insert([document(1), large(2), document(3)])
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
    with open_store(settings, "demo") as store:
        seen = list(store.ids())
        assert all(store.get(one) for one in seen)
        assert document(2).id not in seen
        assert store.count() == len(seen)
        again = store.insert([document(1), large(2), document(3)])
        assert again == Inserted(new=3 - len(seen), present=len(seen))
        assert store.get(document(2).id) == large(2)


def test_a_child_has_a_client_of_its_own(settings: Settings) -> None:
    place = place_of(settings, "demo")
    ours = clients.acquire(place)
    assert clients.acquire(place) is ours
    ours.admin.command("ping")
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            theirs = clients.acquire(place)
            code = 0 if theirs is not ours and theirs.admin.command("ping")["ok"] else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    ours.admin.command("ping")
    clients.release(place)
    clients.release(place)
    clients.close_idle()
    again = clients.acquire(place)
    assert again is not ours
    clients.release(place)
