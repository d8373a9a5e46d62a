"""The lake: which file system carries it, and whether it belongs to this environment."""

from __future__ import annotations

import json

from conf.errors import AlreadyExists, ConfigError
from conf.settings import Settings
from targets.filesystem import FileSystem
from targets.layout import ClientLayout, stamp
from targets.local import LocalFileSystem


def open_lake(settings: Settings, client: str | None = None) -> FileSystem:
    """The file system of the lake, whose root is stamped with the environment; another environment is refused.

    Args:
        client: whose data is worked on: on HDFS that is done as the client's own HDFS user, if there is one.
    """
    fs = _file_system(settings, client)
    path = stamp(settings.lake_base)
    if not fs.exists(path):
        try:
            _shared(settings).create(path, json.dumps({"env": settings.env}).encode())
        except AlreadyExists:
            return open_lake(settings, client)
    found = json.loads(fs.read(path)).get("env")
    if found != settings.env:
        raise ConfigError(
            f"The lake {settings.lake.url or settings.lake_base} belongs to the environment {found}, this is "
            f"{settings.env}. Set LANDFALL_ENV={found}, or give lake.url a place of its own."
        )
    return fs


def client_layout(settings: Settings, client: str) -> ClientLayout:
    """Where the client's data lies in the lake."""
    return ClientLayout(settings.lake_root, client)


def prepare_client(settings: Settings, client: str) -> None:
    """Makes the client's tree where it is missing; on HDFS it belongs to the client's own user and group.

    StorageError, with what an administrator has to run, where HDFS does not let us give it to them.
    """
    if _on_hdfs(settings):
        from targets.hdfs.tree import prepare

        prepare(settings, client_layout(settings, client))


def _on_hdfs(settings: Settings) -> bool:
    return settings.lake.url.startswith("hdfs://")


def _file_system(settings: Settings, client: str | None) -> FileSystem:
    if not _on_hdfs(settings):
        return LocalFileSystem()
    from targets.hdfs import open_hdfs

    return open_hdfs(settings, client)


def _shared(settings: Settings) -> FileSystem:
    """The same, for what every client's user reads."""
    if not _on_hdfs(settings):
        return LocalFileSystem()
    from targets.hdfs.tree import shared

    return shared(settings)
