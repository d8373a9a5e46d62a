"""HDFS as the lake."""

from __future__ import annotations

from conf.settings import Settings
from targets.hdfs.filesystem import HdfsFileSystem
from targets.hdfs.lease import Times
from targets.hdfs.place import HdfsPlace

__all__ = ["HdfsFileSystem", "HdfsPlace", "Times", "open_hdfs"]


def open_hdfs(settings: Settings, client: str | None) -> HdfsFileSystem:
    """The HDFS of the lake, as the client's user, or as Landfall's own where no client is named."""
    return HdfsFileSystem(HdfsPlace.of(settings, client), Times(settings.hdfs.lease_seconds))
