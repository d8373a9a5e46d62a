"""Spark's own client of HDFS: the settings' HDFS, as the user of the one client whom this process serves."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from conf.errors import ConfigError
from conf.settings import Settings

# A close asks the NameNode whether the block has arrived; the first answer is mostly "not yet", and the client's own
# first wait is 400 ms for each file.
_FIRST_WAIT_MS = "20"
_RETRIES = {
    "dfs.client.block.write.locateFollowingBlock.initial.delay.ms": _FIRST_WAIT_MS,
    "dfs.client.block.write.locateFollowingBlock.retries": "10",
    "ipc.client.connect.max.retries.on.timeouts": "3",
}

_served: str | None = None
_started_for: str | None = None


def serve(client: str) -> None:
    """Has the session of this process, when it starts, work as this client's HDFS user."""
    global _served
    _served = client


def properties(settings: Settings) -> dict[str, str]:
    """Spark properties of the HDFS that the settings name; none where the lake is not on HDFS."""
    if not _on_hdfs(settings):
        return {}
    from targets.hdfs.place import HdfsPlace

    place = HdfsPlace.of(settings, _served)
    umask = {"fs.permissions.umask-mode": f"{0o777 & ~place.dir_mode:03o}"}
    kerberos = {}
    # Who logs in with a keytab cannot act as somebody else: then Spark takes the ticket cache.
    if place.principal and not place.user:
        kerberos = {"spark.kerberos.principal": place.principal, "spark.kerberos.keytab": place.keytab}
    hadoop = {**_RETRIES, **umask, **dict(place.properties)}
    return {**{f"spark.hadoop.{name}": value for name, value in hadoop.items()}, **kerberos}


@contextlib.contextmanager
def acting(settings: Settings) -> Iterator[None]:
    """A JVM that the block starts speaks to HDFS as the client's user."""
    global _started_for
    _started_for = _served
    if not _on_hdfs(settings):
        yield
        return
    from targets.hdfs.acting import as_parent
    from targets.hdfs.place import HdfsPlace

    if settings.hdfs.conf_dir:
        os.environ["HADOOP_CONF_DIR"] = settings.hdfs.conf_dir
    with as_parent(HdfsPlace.of(settings, _served)):
        yield


def refuse_other(settings: Settings) -> None:
    """ConfigError where the session that runs is another HDFS user's than that of the client who is served now."""
    if _on_hdfs(settings) and settings.hdfs.as_client and _served != _started_for:
        raise ConfigError(
            f"This process's Spark session works as the HDFS user of the client {_started_for}; "
            f"use a process of its own for {_served}."
        )


def _on_hdfs(settings: Settings) -> bool:
    return settings.lake.url.startswith("hdfs://")
