"""The Spark session."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from conf.sections.kinds import Count, Directory, Memory, Number, Seconds, Section, shaped

# Names of Spark's own that hold secrets; a keytab, a key store, a key's size are none.
_SECRET = re.compile(r"passw|secret|token|credential|key(?!tab|store|gen|size|length|\.?provider)", re.IGNORECASE)
_MASTER = r"local(\[(\*|\d+)\])?|yarn|spark://[^\s/]+|k8s://\S+"


def _no_secret(name: str) -> str:
    if _SECRET.search(name) and not name.lower().endswith(("file", "path")):
        raise ValueError("it looks like a secret: write it into the file (mode 0600) that spark.properties_file names")
    return name


def _connect(url: str) -> str:
    if not url:
        return url
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"it is no URL: {error}") from None
    if parts.scheme != "sc" or not host or "@" in parts.netloc or parts.path not in ("", "/"):
        raise ValueError("it must be sc://host:port and no more: spark.remote_tls and spark.remote_token_file say how")
    return url.rstrip("/")


class Spark(Section):
    """The Spark session."""

    master: Annotated[str, shaped(_MASTER, "local[*], local[4], spark://host:7077, yarn or k8s://https://host:443")] = (
        Field("local[*]", description="Spark master: local[*], spark://host:7077, yarn, k8s://https://host:443")
    )
    remote: Annotated[str, AfterValidator(_connect)] = Field(
        "", description="a Spark Connect server that stays up, sc://host:15002; empty: Spark starts with each run"
    )
    remote_tls: bool = Field(False, description="whether the Connect server is asked over TLS")
    remote_token_file: Directory = Field(
        "", description="file (mode 0600) of the Connect server's token; empty: that of `landfall spark start`, if any"
    )
    shared_storage: bool = Field(
        False, description="whether home, lake and image store are the same directories on every executor"
    )
    python: str = Field("", description="Python of the executors; empty: the one that runs Landfall")
    driver_host: str = Field("", description="how executors reach the driver; empty: Spark's choice, loopback if local")
    driver_memory: Memory = Field("1g", description="heap of the driver's JVM")
    executor_memory: Memory = Field("1g", description="heap of an executor's JVM")
    executor_overhead: Memory = Field("1g", description="an executor's memory beside its heap: its Python workers")
    executor_cores: Count = Field(2, description="tasks that an executor runs at once")
    executors: Annotated[int, Number, Field(ge=0)] = Field(
        0, description="executors of a run; 0: all that a standalone master has, two on YARN and Kubernetes"
    )
    max_executors: Annotated[int, Number, Field(ge=0)] = Field(
        0, description="most executors, asked for and given back as there is work; 0: always as many as executors says"
    )
    start_seconds: Seconds = Field(120, description="how long a run waits for its first executor")
    properties_file: Directory = Field(
        "", description="file (mode 0600) of further Spark properties, secrets among them, as in spark-defaults.conf"
    )
    shard_rows: Count = Field(256, description="pictures in one shard: the unit of work, of progress and of resuming")
    shuffle_partitions: Count = Field(8, description="partitions of a shuffle")
    conf: dict[
        Annotated[str, shaped(r"spark\.\S+", "a name that begins with spark."), AfterValidator(_no_secret)], str
    ] = Field({}, description="further Spark properties, none of them a secret")

    @property
    def is_local(self) -> bool:
        """Whether tasks run in the driver's own process."""
        return self.master.startswith("local")
