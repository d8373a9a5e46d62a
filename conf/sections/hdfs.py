"""HDFS, where lake.url names it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from conf.sections.kinds import Directory, Number, Seconds, Section, place, shaped

_NAME = r"[A-Za-z_][A-Za-z0-9._-]*"
_AS_CLIENT = r"([A-Za-z0-9._-]*\{client\}[A-Za-z0-9._-]*)?"


def _servers(text: str) -> str:
    if text.startswith("/"):
        raise ValueError("it must be URLs of servers, such as https://namenode:9871")
    return text


class Hdfs(Section):
    """HDFS, where lake.url names it."""

    transport: Literal["rpc", "web"] = Field(
        "rpc",
        description="how Landfall's own processes reach HDFS: rpc (hdfs-native; several times quicker) or web "
        "(WebHDFS or HttpFS, with TLS if the address begins with https)",
    )
    web: Annotated[str, place("http", "https"), AfterValidator(_servers)] = Field(
        "", description="WebHDFS or HttpFS: http(s)://namenode:port, of a NameNode pair both, with a space between"
    )
    namenodes: Annotated[str, shaped(r"([^\s:/]+:\d+(\s+[^\s:/]+:\d+)*)?", "host:port, several with spaces")] = Field(
        "", description="RPC addresses of a NameNode pair whose nameservice lake.url names: nn1:8020 nn2:8020"
    )
    user: Annotated[str, shaped(rf"({_NAME})?", "a user's name")] = Field(
        "", description="the HDFS user of Landfall itself; empty means the system's user (with Kerberos: the principal)"
    )
    as_client: Annotated[str, shaped(_AS_CLIENT, "a user's name with {client} in it, or empty")] = Field(
        "",
        description='the HDFS user as which a client\'s data is written and read, such as "landfall-{client}" '
        "(user must be allowed to act as them: hadoop.proxyuser); empty: all is done as user",
    )
    group: Annotated[str, shaped(r"[A-Za-z0-9._-]*(\{client\})?[A-Za-z0-9._-]*", "a group's name")] = Field(
        "", description="group of a client's tree, {client} in it stands for the client; empty: as HDFS inherits it"
    )
    dir_mode: Annotated[str, shaped(r"7[0-7]0", "three octal digits that give others nothing, such as 750")] = Field(
        "750", description="mode of a client's directories; files have it without x"
    )
    replication: Annotated[int, Number, Field(ge=0, le=512)] = Field(
        0, description="replicas of a block; 0: as the cluster has it"
    )
    ca_file: Directory = Field("", description="CA certificates (PEM) that https addresses are checked against")
    auth: Literal["simple", "kerberos"] = Field(
        "simple", description="how HDFS knows who asks; kerberos takes the ticket cache, or principal and keytab"
    )
    principal: str = Field("", description="Kerberos principal, with keytab; empty: who is in the ticket cache")
    keytab: Directory = Field("", description="the file (mode 0600) that holds the principal's keys")
    protection: Literal["", "authentication", "integrity", "privacy"] = Field(
        "", description="with Kerberos, how RPC and data are protected on the wire; empty: as conf_dir says"
    )
    conf_dir: Directory = Field("", description="directory of core-site.xml and hdfs-site.xml, for rpc and Spark")
    properties: dict[Annotated[str, shaped(r"\S+", "a name without spaces")], str] = Field(
        {}, description="further properties of the Hadoop client, for rpc and Spark"
    )
    timeout_seconds: Seconds = Field(60, description="how long one call may take")
    patience_seconds: Annotated[float, Number, Field(ge=0, le=3600)] = Field(
        60, description="how long a call is repeated while HDFS is away, starting or in safe mode"
    )
    lease_seconds: Annotated[int, Number, Field(ge=2, le=50)] = Field(
        40, description="how long after its last sign of life the work of a run may be taken over by another"
    )
