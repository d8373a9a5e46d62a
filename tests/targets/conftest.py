"""Servers that the stores are tested on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from conf.errors import StorageError
from conf.settings import Settings
from targets.image_store import open_store
from tests.servers.mongo import MongoServer, mongo_server

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """A server that lets everybody in, for all tests; each takes databases of its own."""
    with mongo_server(tmp_path_factory.mktemp("mongo")) as server:
        yield server


def mongo_settings(server: MongoServer, **mongo: object) -> Settings:
    """Settings with databases of their own on a server."""
    given = {"database": f"t{next(_NUMBERS)}_{{env}}_{{client}}", "tls": server.certificate is not None}
    return Settings(env="test", images={"url": server.url}, mongo={**given, **mongo})


def refused(settings: Settings) -> str:
    """The sentence with which the store cannot be read."""
    with open_store(settings, "demo") as store, pytest.raises(StorageError) as raised:
        store.count()
    assert raised.value.fix
    return str(raised.value)
