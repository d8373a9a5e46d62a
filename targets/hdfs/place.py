"""Which HDFS, as whom, and how: what the settings say, small enough to travel to a worker."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from conf.errors import ConfigError
from conf.settings import Settings

_WEB_PORT = 9870
_PROVIDER = "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider"


@dataclass(frozen=True)
class HdfsPlace:
    """One HDFS and one user of it.

    Attributes:
        url: ``hdfs://host:port``, or ``hdfs://nameservice``.
        transport: ``rpc`` or ``web``.
        web: addresses of WebHDFS, ``http(s)://host:port``.
        login: who proves himself to HDFS; empty: the system's user, or the principal.
        user: as whom the work is done; empty: as ``login``.
        dir_mode: mode of directories that are made.
        replication: replicas of a block; 0: as the cluster has it.
        kerberos: whether HDFS asks for Kerberos.
        principal, keytab: empty: the ticket cache.
        properties: of the Hadoop client, sorted.
        timeout: seconds that one call may take.
        patience: seconds for which a call is repeated while HDFS is away.
    """

    url: str
    transport: str = "rpc"
    web: tuple[str, ...] = ()
    login: str = ""
    user: str = ""
    dir_mode: int = 0o750
    replication: int = 0
    ca_file: str = ""
    kerberos: bool = False
    principal: str = ""
    keytab: str = ""
    conf_dir: str = ""
    properties: tuple[tuple[str, str], ...] = ()
    timeout: float = 60
    patience: float = 60

    @classmethod
    def of(cls, settings: Settings, client: str | None) -> HdfsPlace:
        """The HDFS of the lake.

        Args:
            client: whose data is to be worked on, as his HDFS user if there is one; None: Landfall's own.
        """
        hdfs, url = settings.hdfs, urlsplit(settings.lake.url)
        web = tuple(hdfs.web.split())
        if hdfs.transport == "web" and not web:
            if url.port is None:
                raise ConfigError("hdfs.web is empty: name the addresses of WebHDFS, such as https://nn1:9871.")
            web = (f"http://{url.hostname}:{_WEB_PORT}",)
        return cls(
            url=f"hdfs://{url.netloc}",
            transport=hdfs.transport,
            web=web,
            login=hdfs.user,
            user="" if client is None else hdfs.as_client.replace("{client}", client),
            dir_mode=int(hdfs.dir_mode, 8),
            replication=hdfs.replication,
            ca_file=hdfs.ca_file,
            kerberos=hdfs.auth == "kerberos",
            principal=hdfs.principal,
            keytab=hdfs.keytab,
            conf_dir=hdfs.conf_dir,
            properties=tuple(sorted(_properties(settings).items())),
            timeout=hdfs.timeout_seconds,
            patience=hdfs.patience_seconds,
        )

    @property
    def file_mode(self) -> int:
        """Mode of files that are made: that of directories without x."""
        return self.dir_mode & 0o666

    @property
    def acts_as(self) -> str:
        """As whom the work is done, for people."""
        return self.user or self.login or self.principal or "the system's user"


def _properties(settings: Settings) -> dict[str, str]:
    """Properties of the Hadoop client, for hdfs-native and for Spark."""
    hdfs = settings.hdfs
    found: dict[str, str] = {}
    if hdfs.auth == "kerberos":
        found["hadoop.security.authentication"] = "kerberos"
    if hdfs.protection:
        found["hadoop.rpc.protection"] = found["dfs.data.transfer.protection"] = hdfs.protection
    if hdfs.replication:
        found["dfs.replication"] = str(hdfs.replication)
    if hdfs.namenodes:
        found |= _pair(urlsplit(settings.lake.url).netloc, hdfs.namenodes.split())
    return {**found, **hdfs.properties}


def _pair(nameservice: str, addresses: list[str]) -> dict[str, str]:
    names = [f"nn{number}" for number in range(1, len(addresses) + 1)]
    return {
        "dfs.nameservices": nameservice,
        f"dfs.ha.namenodes.{nameservice}": ",".join(names),
        f"dfs.client.failover.proxy.provider.{nameservice}": _PROVIDER,
        **{
            f"dfs.namenode.rpc-address.{nameservice}.{name}": address
            for name, address in zip(names, addresses, strict=True)
        },
    }
