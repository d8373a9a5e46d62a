"""A real HDFS: one NameNode and one DataNode, each a JVM of its own, so that each can be stopped by itself."""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from xml.sax.saxutils import escape

import requests

from tests.servers import free_port, missing, program
from tests.servers.waiting import until

_POM = Path(__file__).with_name("hdfs.pom.xml")
_CACHE = Path.home() / ".cache" / "landfall-tests"
_NAMENODE = "org.apache.hadoop.hdfs.server.namenode.NameNode"
_DATANODE = "org.apache.hadoop.hdfs.server.datanode.DataNode"
_OPENED = (
    *("java.io", "java.lang", "java.lang.reflect", "java.math", "java.net", "java.text", "java.util"),
    *("java.util.concurrent", "java.util.zip", "sun.security.util", "sun.security.x509"),
)
_JAVA = (
    *("-XX:+IgnoreUnrecognizedVMOptions", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx384m"),
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
)
# NameNodes look for dead DataNodes every five minutes; tests have not that long.
_QUICK = {
    "dfs.heartbeat.interval": "1",
    "dfs.namenode.heartbeat.recheck-interval": "1000",
    "dfs.namenode.safemode.extension": "0",
    "dfs.datanode.synconclose": "true",
    "dfs.namenode.fslock.fair": "false",
}
SERVICE = "landfall"
"""The user under whom Landfall's own processes come: no superuser, but one who may act as others."""


class HdfsCluster:
    """One NameNode and one DataNode on free ports of 127.0.0.1; a context manager.

    Args:
        root: an empty directory of this cluster's own.
        site: more properties of hdfs-site.xml.
        core: more properties of core-site.xml.
        groups: the groups of each HDFS user; a user who is not named has none.
        tls: a CA of ``trustme`` and its certificate for localhost and 127.0.0.1: WebHDFS answers https only.

    Attributes:
        conf: directory of core-site.xml and hdfs-site.xml, fit for clients too.
        superuser: the user whom HDFS denies nothing.
    """

    def __init__(
        self,
        root: Path,
        site: Mapping[str, str] | None = None,
        core: Mapping[str, str] | None = None,
        groups: Mapping[str, str] | None = None,
        tls: Any = None,
    ) -> None:
        self.root = root
        self.conf = root / "conf"
        self.superuser = getpass.getuser()
        self._rpc, self._http, self._https = free_port(), free_port(), free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._classpath = classpath()
        self._tls = tls
        self._write_conf(site or {}, core or {}, groups or {})
        self._java(_NAMENODE, "-format", "-nonInteractive", "-force")

    @property
    def url(self) -> str:
        """``hdfs://host:port`` of the NameNode."""
        return f"hdfs://127.0.0.1:{self._rpc}"

    @property
    def webhdfs(self) -> str:
        """``http://host:port``, or https, of the NameNode."""
        return f"https://localhost:{self._https}" if self._tls else f"http://127.0.0.1:{self._http}"

    def start(self) -> Self:
        """Starts what is not running and returns once both answer and blocks can be written."""
        self.start_namenode(wait=False)
        self.start_datanode()
        return self

    def stop(self) -> None:
        """Stops both; what was written stays."""
        self.stop_datanode()
        self.stop_namenode()

    def start_namenode(self, wait: bool = True) -> None:
        self._start("namenode", _NAMENODE)
        if wait:
            self.wait()

    def stop_namenode(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ends the NameNode: SIGTERM, or SIGKILL for a crash."""
        self._stop("namenode", how)

    def start_datanode(self) -> None:
        self._start("datanode", _DATANODE)
        self.wait()

    def stop_datanode(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ends the DataNode. The NameNode takes it for dead some twelve seconds later."""
        self._stop("datanode", how)

    def signal(self, name: str, how: signal.Signals) -> None:
        """Sends a signal to ``namenode`` or ``datanode``: SIGSTOP hangs it, SIGCONT lets it go on."""
        process = self._processes[name]
        process.send_signal(how)
        if how == signal.SIGSTOP:
            until(lambda: _state(process.pid) == "T", f"{name} is stopped")

    def wait(self) -> None:
        """Returns once the DataNode is known and safe mode is over."""
        until(self._ready, f"HDFS in {self.root} is ready ({self.log('namenode')})")

    def jmx(self, bean: str) -> dict[str, Any]:
        """A bean of the NameNode, such as ``FSNamesystemState``."""
        found = self._http_get(f"/jmx?qry=Hadoop:service=NameNode,name={bean}").json()["beans"]
        return dict(found[0]) if found else {}

    def safe_mode(self, on: bool) -> None:
        """Puts the NameNode into safe mode, in which it changes nothing, or out of it."""
        self.admin("-safemode", "enter" if on else "leave")

    def admin(self, *arguments: str) -> str:
        """``hdfs dfsadmin``, as the superuser."""
        return self._java("org.apache.hadoop.hdfs.tools.DFSAdmin", *arguments)

    def quota(self, path: str, names: int = -1, space: int = -1) -> None:
        """Limits names (files and directories) and bytes (replicas and all) below a directory; -1: no limit."""
        self.rest("PUT", path, "SETQUOTA", namespacequota=names, storagespacequota=space)

    def make_directory(self, path: str, owner: str = "", group: str = "", mode: str = "755") -> None:
        """A directory of this owner, as an administrator makes one."""
        self.rest("PUT", path, "MKDIRS", permission=mode)
        self.rest("PUT", path, "SETPERMISSION", permission=mode)
        owned = {name: value for name, value in (("owner", owner), ("group", group)) if value}
        if owned:
            self.rest("PUT", path, "SETOWNER", **owned)

    def rest(self, method: str, path: str, op: str, user: str = "", **params: Any) -> requests.Response:
        """One call of WebHDFS, as the superuser unless a user is named; AssertionError unless it is well."""
        told = self.call(method, path, op, user, **params)
        assert told.ok, told.text
        return told

    def call(self, method: str, path: str, op: str, user: str = "", **params: Any) -> requests.Response:
        """The same, whatever the answer."""
        asked = {"op": op, "user.name": user or self.superuser, **params}
        return requests.request(
            method, f"{self.webhdfs}/webhdfs/v1{path}", params=asked, timeout=60, verify=self._verify()
        )

    def log(self, name: str) -> Path:
        """What ``namenode`` or ``datanode`` said."""
        return self.root / f"{name}.log"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()

    def _ready(self) -> bool:
        for name in self._processes:
            if self._processes[name].poll() is not None:
                raise AssertionError(f"{name} ended: {self.log(name).read_text()[-2000:]}")
        try:
            state = self.jmx("FSNamesystemState")
            return bool(state.get("NumLiveDataNodes", 0) >= 1 and not self.jmx("NameNodeInfo")["Safemode"])
        except (requests.RequestException, KeyError):
            return False

    def _http_get(self, path: str) -> requests.Response:
        return requests.get(f"{self.webhdfs}{path}", timeout=10, verify=self._verify())

    def _verify(self) -> str | bool:
        return str(self.conf / "ca.pem") if self._tls else True

    def _start(self, name: str, main: str) -> None:
        if name in self._processes:
            return
        with self.log(name).open("ab") as log:
            self._processes[name] = subprocess.Popen(
                self._command(main), env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _stop(self, name: str, how: signal.Signals) -> None:
        process = self._processes.pop(name, None)
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _command(self, main: str, *arguments: str) -> list[str]:
        return [program("java"), *_JAVA, "-cp", f"{self.conf}:{self._classpath}", main, *arguments]

    def _environment(self) -> dict[str, str]:
        # A user that the caller acts as is none of the servers' business.
        return {name: value for name, value in os.environ.items() if not name.startswith("HADOOP_")}

    def _java(self, main: str, *arguments: str) -> str:
        done = subprocess.run(
            self._command(main, *arguments), env=self._environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _write_conf(self, site: Mapping[str, str], core: Mapping[str, str], groups: Mapping[str, str]) -> None:
        self.conf.mkdir(parents=True)
        known = {self.superuser: "supergroup", SERVICE: SERVICE, **groups}
        _write_site(
            self.conf / "core-site.xml",
            {
                "fs.defaultFS": self.url,
                "hadoop.tmp.dir": str(self.root / "tmp"),
                "hadoop.security.group.mapping": "org.apache.hadoop.security.NullGroupsMapping",
                "hadoop.user.group.static.mapping.overrides": ";".join(f"{u}={g}" for u, g in known.items()),
                f"hadoop.proxyuser.{SERVICE}.hosts": "*",
                f"hadoop.proxyuser.{SERVICE}.users": "*",
                **core,
            },
        )
        address = {
            "dfs.namenode.http-address": f"127.0.0.1:{self._http}",
            "dfs.namenode.https-address": f"localhost:{self._https}",
            "dfs.datanode.address": f"127.0.0.1:{free_port()}",
            "dfs.datanode.http.address": f"127.0.0.1:{free_port()}",
            "dfs.datanode.https.address": f"127.0.0.1:{free_port()}",
            "dfs.datanode.ipc.address": f"127.0.0.1:{free_port()}",
            "dfs.datanode.hostname": "localhost",
            "dfs.namenode.datanode.registration.ip-hostname-check": "false",
        }
        tls = self._write_keystore() if self._tls else {}
        replication = {
            "dfs.replication": "1",
            "dfs.client.block.write.replace-datanode-on-failure.policy": "NEVER",
        }
        _write_site(self.conf / "hdfs-site.xml", {**_QUICK, **replication, **address, **tls, **site})
        (self.conf / "log4j.properties").write_text(
            "log4j.rootLogger=INFO,out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\n"
            "log4j.appender.out.layout=org.apache.log4j.PatternLayout\n"
            "log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %p %c{1}: %m%n\n"
        )

    def _write_keystore(self) -> dict[str, str]:
        """The certificate as Jetty reads it; returns the properties of hdfs-site.xml that go with it."""
        from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key
        from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
        from cryptography.x509 import load_pem_x509_certificate

        authority, leaf = self._tls
        authority.cert_pem.write_to_path(self.conf / "ca.pem")
        key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
        certificate = load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
        secret = b"not a secret"
        store = self.conf / "keystore.p12"
        store.write_bytes(
            serialize_key_and_certificates(b"hdfs", key, certificate, None, BestAvailableEncryption(secret))  # type: ignore[arg-type]
        )
        _write_site(
            self.conf / "ssl-server.xml",
            {
                "ssl.server.keystore.location": str(store),
                "ssl.server.keystore.type": "PKCS12",
                "ssl.server.keystore.password": secret.decode(),
                "ssl.server.keystore.keypassword": secret.decode(),
            },
        )
        ssl.create_default_context(cafile=str(self.conf / "ca.pem"))
        return {"dfs.http.policy": "HTTPS_ONLY"}


def _state(pid: int) -> str:
    """One letter, after proc(5): ``T`` is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def classpath() -> str:
    """The jars of HDFS's servers; Maven gets them (140 MB) where they are missing."""
    digest = hashlib.sha256(_POM.read_bytes()).hexdigest()[:16]
    place = _CACHE / f"hdfs-{digest}"
    place.mkdir(parents=True, exist_ok=True)
    known = place / "classpath"
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not known.exists() or not all(Path(jar).exists() for jar in known.read_text().split(":")):
            _resolve(place, known)
    return known.read_text()


def _resolve(place: Path, known: Path) -> None:
    shutil.copyfile(_POM, place / "pom.xml")
    goal = ["-q", "-B", "dependency:build-classpath", f"-Dmdep.outputFile={place / 'found'}"]
    done = subprocess.run([program("mvn"), *goal], cwd=place, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        missing("HDFS", f"Maven could not get its jars from Maven Central: {done.stdout[-500:]}")
    (place / "found").rename(known)


def _write_site(file: Path, properties: Mapping[str, str]) -> None:
    rows = "".join(
        f"<property><name>{escape(name)}</name><value>{escape(value)}</value></property>\n"
        for name, value in properties.items()
    )
    file.write_text(f"<?xml version='1.0'?>\n<configuration>\n{rows}</configuration>\n")
