"""HDFS, asked of the NameNode's own pages and of WebHDFS."""

from __future__ import annotations

import contextlib
import email.utils
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import requests

from conf.client import client_ids
from conf.errors import AlreadyExists, LandfallError
from conf.settings import Settings
from landfall.doctor.finding import Finding, ill, well
from landfall.terminal import count, size
from targets.hdfs import HdfsPlace, open_hdfs
from targets.lake import client_layout

_PART = "lake"
_SECONDS = 10
_CLOCK_SECONDS = 30
_LEAST_SPACE = 10 << 30
_CLUSTER = "Hadoop:service=NameNode,name=FSNamesystemState"
_NAMENODE = "Hadoop:service=NameNode,name=NameNodeInfo"


def hdfs(settings: Settings) -> Iterator[Finding]:
    """Versions, DataNodes, space, durability, clock, encryption, quota, and each client's user."""
    place = HdfsPlace.of(settings, None)
    yield from _clients(settings)
    yield _encryption(settings, place)
    if not place.web:
        yield Finding(
            _PART,
            "NameNode's pages",
            "look",
            "hdfs.web is empty, so versions, space, quota and durability were not looked at.",
            "Name the NameNode's address, such as https://namenode:9871.",
        )
        return
    for address in place.web:
        try:
            yield from _namenode(address, place, settings)
        except (requests.RequestException, ValueError, KeyError, ET.ParseError) as error:
            yield Finding(
                _PART,
                address,
                "ill",
                f"It does not tell how it is ({_said(error)}).",
                "See hdfs.web and hdfs.ca_file, and whether the NameNode runs.",
            )


def _clients(settings: Settings) -> Iterator[Finding]:
    """Whether each client's user may write below the client's tree, where there is one."""
    sound, waiting = 0, []
    for client in client_ids():
        root = client_layout(settings, client).root
        fs = open_hdfs(settings, client).impatient()
        try:
            if not fs.exists(root):
                waiting.append(client)
                continue
            with contextlib.suppress(AlreadyExists):
                fs.create(f"{root}/_doctor", b"")
            fs.remove(f"{root}/_doctor")
            sound += 1
        except LandfallError as error:
            yield ill(_PART, f"client {client}", error)
    if sound:
        yield well(_PART, "rights", f"{count(sound, 'client')}: their users write below their own trees")
    if waiting:
        yield Finding(_PART, "trees", "look", f"No tree yet: {', '.join(waiting)}.", "Run landfall init.")


def _encryption(settings: Settings, place: HdfsPlace) -> Finding:
    wire = settings.hdfs.protection or "not set here"
    if place.transport == "web":
        secret = all(address.startswith("https://") for address in place.web)
    else:
        secret = settings.hdfs.protection == "privacy"
    if secret:
        return well(_PART, "encryption", f"{place.transport}, encrypted on the wire")
    # Where the cluster's own files are used, they may say what ours do not.
    ours = settings.env == "prod" and not settings.hdfs.conf_dir
    return Finding(
        _PART,
        "encryption",
        "ill" if ours else "look",
        f"What goes by {place.transport} may be readable on the wire (hdfs.protection: {wire}).",
        "Set hdfs.protection = privacy with Kerberos, or https addresses with the transport web; docs/hdfs.md.",
    )


def _namenode(address: str, place: HdfsPlace, settings: Settings) -> Iterator[Finding]:
    name = _bean(address, place, _NAMENODE)
    cluster = _bean(address, place, _CLUSTER)
    yield well(_PART, "version", f"{address}: Hadoop {name['SoftwareVersion']}")
    if name.get("Safemode"):
        yield Finding(_PART, "safe mode", "ill", "HDFS changes nothing.", "See the NameNode's page for why.")
    yield _datanodes(cluster)
    left = int(cluster["CapacityRemaining"])
    if left < _LEAST_SPACE:
        yield Finding(_PART, "space", "look", f"{size(left)} left on all DataNodes", "Add space or DataNodes.")
    else:
        yield well(_PART, "space", f"{size(left)} left on all DataNodes")
    yield _durability(address, place)
    yield _quota(address, place, settings)
    yield _clock(address, place)


def _datanodes(cluster: dict[str, Any]) -> Finding:
    live, dead = int(cluster["NumLiveDataNodes"]), int(cluster["NumDeadDataNodes"])
    missing = int(cluster.get("MissingBlocks", 0))
    told = f"{live} live, {dead} dead"
    if not live or missing:
        return Finding(_PART, "DataNodes", "ill", f"{told}; {missing} blocks missing", "See: hdfs dfsadmin -report.")
    if dead:
        return Finding(_PART, "DataNodes", "look", told, "See which with hdfs dfsadmin -report.")
    return well(_PART, "DataNodes", told)


def _durability(address: str, place: HdfsPlace) -> Finding:
    """``dfs.datanode.synconclose``: without it a block that is closed may still be in memory alone."""
    page = _get(f"{address}/conf", place, name="dfs.datanode.synconclose", format="xml")
    value = ET.fromstring(page.content).findtext(".//value", "false")  # noqa: S314  # the operator's own NameNode
    if value == "true":
        return well(_PART, "durability", "dfs.datanode.synconclose is true")
    return Finding(
        _PART,
        "durability",
        "ill",
        "dfs.datanode.synconclose is false: a loss of power may take what was acknowledged.",
        "Set it to true in hdfs-site.xml of NameNode and DataNodes, and restart them.",
    )


def _quota(address: str, place: HdfsPlace, settings: Settings) -> Finding:
    # Of a directory without a quota HDFS counts all below it, which our own user may not read: it is the clients'.
    page = _ask(f"{address}/webhdfs/v1{settings.lake_base}", place, op="GETQUOTAUSAGE")
    if page.status_code == requests.codes.forbidden:
        return well(_PART, "quota", f"none on {settings.lake_base}")
    page.raise_for_status()
    found = page.json()["QuotaUsage"]
    names, quota = found["fileAndDirectoryCount"], found["quota"]
    space, room = found["spaceConsumed"], found["spaceQuota"]
    told = f"{names:,} names of {quota:,}" if quota > 0 else f"{names:,} names, no quota"
    told += f"; {size(space)} of {size(room)}" if room > 0 else f"; {size(space)}"
    full = (quota > 0 and names > 0.9 * quota) or (room > 0 and space > 0.9 * room)
    if full:
        return Finding(_PART, "quota", "look", told, "Raise it with hdfs dfsadmin -setQuota or -setSpaceQuota.")
    return well(_PART, "quota", told)


def _clock(address: str, place: HdfsPlace) -> Finding:
    said = _get(f"{address}/jmx", place, qry=_NAMENODE).headers["Date"]
    apart = abs(email.utils.parsedate_to_datetime(said).timestamp() - time.time())
    if apart > _CLOCK_SECONDS:
        return Finding(_PART, "clock", "look", f"{apart:.0f} s from the NameNode's", "Have both keep time by NTP.")
    return well(_PART, "clock", "as the NameNode's")


def _bean(address: str, place: HdfsPlace, name: str) -> dict[str, Any]:
    found: dict[str, Any] = _get(f"{address}/jmx", place, qry=name).json()["beans"][0]
    return found


def _said(error: Exception) -> str:
    answer = error.response if isinstance(error, requests.HTTPError) else None
    if answer is None:
        return type(error).__name__
    return f"{answer.status_code} for {urlsplit(answer.url).path}"


def _get(url: str, place: HdfsPlace, **params: str) -> requests.Response:
    answer = _ask(url, place, **params)
    answer.raise_for_status()
    return answer


def _ask(url: str, place: HdfsPlace, **params: str) -> requests.Response:
    if place.login and not place.kerberos:
        params["user.name"] = place.login
    with requests.Session() as session:
        session.trust_env = False
        session.verify = place.ca_file or True
        return session.get(url, params=params, timeout=_SECONDS)
