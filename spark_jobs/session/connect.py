"""A session of a Spark Connect server that stays up: a run pays no start, and each worker process has its own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conf.errors import AccessDenied, ConfigError, LandfallError
from conf.private import read_private
from conf.settings import Settings
from spark_jobs.session import executors
from spark_jobs.session.properties import scratch, session_properties
from spark_jobs.session.reach import refuse_out_of_reach
from spark_jobs.session.shipping import archive

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.client import DefaultChannelBuilder

PORT = 15002
TOKEN = "connect.token"  # noqa: S105  # a file's name
_MOST_BYTES = 4096
_SECONDS = 5
# Half a minute in all: a server that is gone for longer has forgotten the session.
_RETRIES, _FIRST_MS, _LONGEST_MS = 9, 100, 5000
_REMOTE = "SPARK_CONNECT_MODE_ENABLED"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def start(settings: Settings) -> SparkSession:
    """A session of the server that ``spark.remote`` names, with our code.

    Raises:
        LandfallError: nobody answers there.
        AccessDenied: the token's file is not private, or the server does not take the token.
        ConfigError: lake or image store cannot be reached from its executors, or not as who must; or these differ
            from us.
    """
    host, port = address(settings)
    if settings.lake.url.startswith("hdfs://") and settings.hdfs.as_client:
        raise ConfigError(
            "A Spark Connect server works as one HDFS user, so it cannot work as each client's (hdfs.as_client). "
            "Leave out spark.remote, or hdfs.as_client."
        )
    if host not in LOOPBACK:
        refuse_out_of_reach(settings, settings.spark.remote)
    _knock(settings, host, port)
    # pyspark chooses between its two kinds of functions by this variable.
    os.environ[_REMOTE] = "1"
    # The channel is made here: one that was made before a fork does not survive it.
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.session import SparkSession as Remote

    spark: SparkSession = Remote.builder.channelBuilder(_channel(settings, host, port)).create()  # type: ignore[assignment]
    try:
        patience = DefaultPolicy(max_retries=_RETRIES, initial_backoff=_FIRST_MS, max_backoff=_LONGEST_MS)
        spark.client.set_retry_policies([patience])
        for name, value in session_properties(settings).items():
            spark.conf.set(name, value)
        _prepare(spark, settings)
    except BaseException:
        give_back(spark)
        raise
    return spark


def give_back(spark: SparkSession) -> None:
    """Ends a session. It is asked for once: a server that does not answer has gone, and the session with it."""
    from pyspark.sql.connect.client.retries import DefaultPolicy

    with contextlib.suppress(Exception):
        spark.client.set_retry_policies([DefaultPolicy(max_retries=0)])
        spark.stop()


def address(settings: Settings) -> tuple[str, int]:
    """Host and port that ``spark.remote`` names."""
    parts = urlsplit(settings.spark.remote)
    return parts.hostname or "", parts.port or PORT


def slots(spark: SparkSession) -> int:
    """How many tasks the server runs at once: as many as it makes of a range that nobody has divided."""
    from pyspark.sql import functions as F  # noqa: N812

    return spark.range(1 << 16).select(F.spark_partition_id()).distinct().count()


def token_file(settings: Settings) -> Path:
    """Where the server's token is."""
    return Path(settings.spark.remote_token_file or scratch(settings) / TOKEN)


def read_token(settings: Settings) -> str:
    """The server's token; empty if there is none."""
    file = token_file(settings)
    try:
        return read_private(file, _MOST_BYTES).decode().strip()
    except FileNotFoundError:
        if settings.spark.remote_token_file:
            raise AccessDenied(f"There is no file {file}, which spark.remote_token_file names.") from None
        return ""


def _prepare(spark: SparkSession, settings: Settings) -> None:
    """Ships our code, and has the executors checked once a server and code."""
    master = spark.conf.get("spark.master", "") or ""
    if not master.startswith("local"):
        refuse_out_of_reach(settings, f"{settings.spark.remote} ({master})")
    code = archive(settings)
    spark.addArtifacts(str(code), pyfile=True)
    facts = [spark.conf.get("spark.app.id", ""), code.name, executors.describe({}, executors.libraries(settings))]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    marker = scratch(settings) / f"checked-{digest}"
    if not marker.exists():
        executors.check(spark, settings, slots(spark), code)
        for old in marker.parent.glob("checked-*"):
            old.unlink(missing_ok=True)
        marker.touch(mode=0o600)


def _channel(settings: Settings, host: str, port: int) -> DefaultChannelBuilder:
    from pyspark.sql.connect.client import ChannelBuilder, DefaultChannelBuilder

    tls = settings.spark.remote_tls
    # gRPC sends a token over TLS, or to this very machine under this very name.
    name = "localhost" if host in LOOPBACK and not tls else f"[{host}]" if ":" in host else host
    channel = DefaultChannelBuilder(f"sc://{name}:{port}")
    if tls:
        channel.set(ChannelBuilder.PARAM_USE_SSL, "true")
    token = read_token(settings)
    if token and name != "localhost" and not tls:
        raise AccessDenied(f"{settings.spark.remote} would get its token in clear.", "Set spark.remote_tls = true.")
    if token:
        channel.set(ChannelBuilder.PARAM_TOKEN, token)
    return channel


def _knock(settings: Settings, host: str, port: int) -> None:
    """Asks whether anybody listens: gRPC itself would wait and try again."""
    try:
        socket.create_connection((host, port), _SECONDS).close()
    except OSError as error:
        raise LandfallError(
            f"No Spark Connect server answers at {settings.spark.remote} ({error.strerror or error}).",
            "Start it: `landfall spark start`; or leave out spark.remote.",
        ) from error
