"""The lake: which file system carries it, and whether it belongs to this environment."""

from __future__ import annotations

import json

from conf.errors import AlreadyExists, ConfigError
from conf.settings import Settings
from targets.filesystem import FileSystem
from targets.layout import ClientLayout, stamp
from targets.local import LocalFileSystem


def open_lake(settings: Settings) -> FileSystem:
    """The file system of the lake, whose root is stamped with the environment; another environment is refused."""
    fs = LocalFileSystem()
    path = stamp(settings.lake_base)
    if not fs.exists(path):
        try:
            fs.create(path, json.dumps({"env": settings.env}).encode())
        except AlreadyExists:
            return open_lake(settings)
    found = json.loads(fs.read(path)).get("env")
    if found != settings.env:
        raise ConfigError(
            f"The lake {settings.lake_base} belongs to the environment {found}, this is {settings.env}. "
            f"Set LANDFALL_ENV={found}, or give lake.url a place of its own."
        )
    return fs


def client_layout(settings: Settings, client: str) -> ClientLayout:
    """Where the client's data lies in the lake."""
    return ClientLayout(settings.lake_root, client)
