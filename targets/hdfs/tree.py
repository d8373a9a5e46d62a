"""What is made on HDFS before a client's first run: directories that all pass through, and the client's own tree."""

from __future__ import annotations

from dataclasses import replace

from conf.errors import AlreadyExists, StorageError
from conf.settings import Settings
from targets.hdfs import open_hdfs
from targets.hdfs.filesystem import HdfsFileSystem, temporary
from targets.layout import ClientLayout

_PASSABLE = 0o755


def shared(settings: Settings) -> HdfsFileSystem:
    """HDFS as Landfall's own user, for what every client's user passes through or reads."""
    fs = open_hdfs(settings, None)
    return replace(fs, place=replace(fs.place, dir_mode=_PASSABLE))


def prepare(settings: Settings, layout: ClientLayout) -> None:
    """Makes the client's tree, of mode ``hdfs.dir_mode``; it appears with its owner and group, or not at all."""
    client, ours = open_hdfs(settings, layout.client), open_hdfs(settings, None)
    if client.exists(layout.root):
        return
    shared(settings).make_directory(layout.root.rpartition("/")[0])
    made = temporary(layout.root)
    ours.make_directory(made)
    try:
        _give(settings, ours, made, layout)
        ours.move(made, layout.root)
    except AlreadyExists:
        return
    finally:
        ours.remove(made)


def _give(settings: Settings, fs: HdfsFileSystem, made: str, layout: ClientLayout) -> None:
    found = fs.status(made)
    owner = settings.hdfs.as_client.replace("{client}", layout.client) or found.owner
    group = settings.hdfs.group.replace("{client}", layout.client) or found.group
    if (owner, group) == (found.owner, found.group):
        return
    try:
        fs.own(made, owner if owner != found.owner else "", group if group != found.group else "")
    except StorageError as error:
        if error.passing:
            raise
        mode = settings.hdfs.dir_mode
        raise StorageError(
            f"The HDFS user {fs.place.acts_as} may not give {layout.root} to {owner}:{group}.",
            f"Have HDFS's superuser run once: hdfs dfs -mkdir {layout.root} && "
            f"hdfs dfs -chmod {mode} {layout.root} && hdfs dfs -chown {owner}:{group} {layout.root}",
        ) from error
