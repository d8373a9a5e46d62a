"""HDFS by HTTP: WebHDFS or HttpFS, through the ``hdfs`` package."""

from __future__ import annotations

import getpass
import queue
import threading
from collections.abc import Iterator
from typing import Any

import requests
from hdfs import Client, InsecureClient
from requests.adapters import HTTPAdapter

from conf.errors import ConfigError
from targets.hdfs.place import HdfsPlace
from targets.hdfs.transport import Status

_CHUNK = 1 << 20
_QUEUED = 4
_CONNECTIONS = 16


class WebTransport:
    """One session; with several addresses, the package asks the next where one is standby or away."""

    def __init__(self, place: HdfsPlace) -> None:
        self._place = place
        self._client = _client(place)

    def status(self, path: str) -> Status:
        return _status(self._client._get_file_status(path).json()["FileStatus"], path)

    def entries(self, path: str) -> list[Status]:
        found = self._client._list_status(path).json()["FileStatuses"]["FileStatus"]
        return [_status(one, one["pathSuffix"]) for one in found if one["pathSuffix"]]

    def make_directory(self, path: str, mode: int) -> None:
        self._client._mkdirs(path, permission=f"{mode:o}")

    def rename(self, source: str, goal: str) -> None:
        # Without options WebHDFS takes a goal that is a directory for the place to move into.
        self._client._rename(source, destination=goal, renameoptions="NONE")

    def delete(self, path: str, recursive: bool) -> None:
        self._client._delete(path, recursive=str(recursive).lower())

    def own(self, path: str, owner: str, group: str) -> None:
        self._client._set_owner(path, **{k: v for k, v in {"owner": owner, "group": group}.items() if v})

    def source(self, path: str) -> WebSource:
        return WebSource(self._client, path, self.status(path).bytes)

    def sink(self, path: str, mode: int) -> WebSink:
        return WebSink(self._client, path, mode, self._place)


class WebSource:
    """A file being read: one request a read."""

    def __init__(self, client: Client, path: str, size: int) -> None:
        self._client = client
        self._path = path
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        with self._client.read(self._path, offset=offset, length=length) as answer:
            data: bytes = answer.read()
        return data


class WebSink:
    """A file being written: its bytes go out in one request, a few pieces ahead of the network at most."""

    def __init__(self, client: Client, path: str, mode: int, place: HdfsPlace) -> None:
        self._pieces: queue.Queue[bytes | None] = queue.Queue(_QUEUED)
        self._fault: BaseException | None = None
        options: dict[str, Any] = {"overwrite": True, "permission": f"{mode:o}"}
        if place.replication:
            options["replication"] = place.replication
        self._thread = threading.Thread(target=self._send, args=(client, path, options), name="hdfs write", daemon=True)
        self._given_up = False
        self._thread.start()

    def write(self, data: bytes) -> None:
        for start in range(0, len(data), _CHUNK):
            self._put(bytes(data[start : start + _CHUNK]))

    def close(self) -> None:
        self._put(None)
        self._thread.join()
        if self._fault:
            raise self._fault

    def abandon(self) -> None:
        self._given_up = True
        try:
            self._put(None)
        except Exception:  # noqa: BLE001  # it has failed already, and nobody wants the file
            return
        self._thread.join()

    def _put(self, piece: bytes | None) -> None:
        while True:
            if self._fault:
                raise self._fault
            try:
                self._pieces.put(piece, timeout=0.5)
            except queue.Full:
                continue
            return

    def _send(self, client: Client, path: str, options: dict[str, Any]) -> None:
        try:
            client.write(path, data=self._taken(), **options)
        except Exception as error:  # noqa: BLE001  # told by whoever writes next
            self._fault = error

    def _taken(self) -> Iterator[bytes]:
        while (piece := self._pieces.get()) is not None:
            yield piece
        if self._given_up:
            raise ConnectionAbortedError


def _client(place: HdfsPlace) -> Client:
    session = requests.Session()
    # Neither a proxy nor a .netrc of the environment is asked: this is the cluster's own network.
    session.trust_env = False
    session.verify = place.ca_file or True
    adapter = HTTPAdapter(pool_connections=_CONNECTIONS, pool_maxsize=_CONNECTIONS)
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    urls, proxy = ";".join(place.web), place.user or None
    if not place.kerberos:
        user = place.login or getpass.getuser()
        proxy = None if proxy == user else proxy
        return InsecureClient(urls, user=user, proxy=proxy, timeout=place.timeout, session=session)
    try:
        from hdfs.ext.kerberos import KerberosClient
    except ImportError as error:
        raise ConfigError(
            'hdfs.transport = "web" with Kerberos needs the package requests-kerberos: pip install "hdfs[kerberos]".'
        ) from error
    options = {"principal": place.principal} if place.principal else {}
    return KerberosClient(urls, mutual_auth="REQUIRED", proxy=proxy, timeout=place.timeout, session=session, **options)


def _status(found: dict[str, Any], path: str) -> Status:
    is_directory = found["type"] == "DIRECTORY"
    return Status(
        path.rstrip("/").rpartition("/")[2],
        is_directory,
        0 if is_directory else found["length"],
        found["modificationTime"] / 1000,
        found["owner"],
        found["group"],
        int(found["permission"], 8) & 0o777,
    )
