"""A real slapd (OpenLDAP): people, groups, memberOf, password policies, TLS. Several may run at once."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ldap3
import trustme

from auth.directory.ldap import LdapDirectory
from auth.directory.ldap.names import escaped
from conf.sections import Ldap
from tests.servers import free_port, program

BASE = "dc=example,dc=org"
PEOPLE_BASE, GROUP_BASE = f"ou=people,{BASE}", f"ou=groups,{BASE}"
SERVICE, SERVICE_PASSWORD = f"cn=landfall,ou=services,{BASE}", "the service's own"
_ROOT, _ROOT_PASSWORD = f"cn=root,{BASE}", "roots"
_STRICT = f"cn=strict,ou=policies,{BASE}"
_READY_SECONDS = 90
_CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
moduleload retcode
pidfile {root}/slapd.pid
TLSCACertificateFile {root}/ca.pem
TLSCertificateFile {root}/server.pem
TLSCertificateKeyFile {root}/server.key
{limits}
database mdb
maxsize 33554432
suffix {base}
rootdn {admin}
rootpw {password}
directory {root}/data
dbnosync
index objectClass eq
access to attrs=userPassword by anonymous auth by * none
access to * by {readers} read by anonymous auth by * none
overlay memberof
memberof-group-oc groupOfNames
memberof-refint TRUE
overlay ppolicy
ppolicy_hash_cleartext
{lockout}
overlay retcode
retcode-parent "ou=faults,{base}"
retcode-item "cn=slow" 0x03
retcode-item "cn=many" 0x0b
retcode-item "cn=busy" 0x33
retcode-item "cn=elsewhere" 0x0a ref="ldap://127.0.0.1:1/{base}"
"""


@dataclass
class Slapd:
    """One server.

    Attributes:
        root: its directory.
        authority: signs its certificate.
        host: the name in the certificate.
        readers: who may read the entries (``by`` of its access rule).
        tells_lockout: whether a refused bind says that the account is locked.
        limits: more lines of its configuration.
        port, tls_port: of ldap:// and ldaps:// on 127.0.0.1; they stay the same over a stop.
    """

    root: Path
    authority: trustme.CA
    host: str = "localhost"
    readers: str = f"dn.exact={SERVICE}"
    tells_lockout: bool = True
    limits: str = ""
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def ldaps(self) -> str:
        return f"ldaps://localhost:{self.tls_port}"

    @property
    def ldap(self) -> str:
        return f"ldap://localhost:{self.port}"

    @property
    def ca_file(self) -> Path:
        return self.root / "ca.pem"

    @property
    def password_file(self) -> Path:
        """Holds the service account's password."""
        return self.root / "service-password"

    def settings(self, **more: Any) -> Ldap:
        """The [ldap] section that fits."""
        return Ldap(**{**self.section(), **more})

    def section(self) -> dict[str, Any]:
        return {
            "ca_file": str(self.ca_file),
            "bind_dn": SERVICE,
            "bind_password_file": str(self.password_file),
            "user_base": PEOPLE_BASE,
            "group_base": GROUP_BASE,
        }

    def toml(self, **more: Any) -> str:
        """The sections of a settings file that make Landfall ask this server; ``more`` goes to [auth]."""
        auth = {"url": self.ldaps, **more}
        sections = {"auth": auth, "ldap": self.section()}
        return "".join(
            f"\n[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in section.items())
            for name, section in sections.items()
        )

    def directory(self, **more: Any) -> LdapDirectory:
        return LdapDirectory((self.ldaps,), self.settings(**more))

    def make(self) -> Slapd:
        """Writes the configuration and certificates; starts; adds the tree and the service account."""
        (self.root / "data").mkdir(parents=True)
        certificate = self.authority.issue_cert(self.host)
        self.authority.cert_pem.write_to_path(self.root / "ca.pem")
        certificate.private_key_pem.write_to_path(self.root / "server.key")
        for blob in certificate.cert_chain_pems:
            blob.write_to_path(self.root / "server.pem", append=True)
        (self.root / "slapd.conf").write_text(
            _CONF.format(
                root=self.root,
                base=BASE,
                admin=_ROOT,
                password=_ROOT_PASSWORD,
                readers=self.readers,
                limits=self.limits,
                lockout="ppolicy_use_lockout" if self.tells_lockout else "",
            )
        )
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(f"{SERVICE_PASSWORD}\n")
        self.start()
        self._grow()
        return self

    def start(self) -> None:
        urls = f"ldap://127.0.0.1:{self.port}/ ldaps://127.0.0.1:{self.tls_port}/"
        with (self.root / "slapd.log").open("ab") as log:
            self.process = subprocess.Popen(
                [program("slapd"), "-d", "0", "-f", str(self.root / "slapd.conf"), "-h", urls],
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        until = time.monotonic() + _READY_SECONDS
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"slapd does not start: {(self.root / 'slapd.log').read_text()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """As a keeper stops it."""
        self._end("terminate")

    def kill(self) -> None:
        """As a power cut does."""
        self._end("kill")

    def _end(self, how: str) -> None:
        if self.process is not None and self.process.poll() is None:
            getattr(self.process, how)()
            self.process.wait(timeout=_READY_SECONDS)
        self.process = None

    def _listens(self) -> bool:
        for port in (self.port, self.tls_port):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                return False
        return True

    @contextlib.contextmanager
    def admin(self) -> Iterator[ldap3.Connection]:
        """A connection that may change everything."""
        server = ldap3.Server("127.0.0.1", self.port, get_info=ldap3.NONE)
        connection = ldap3.Connection(
            server, _ROOT, _ROOT_PASSWORD, auto_bind=True, check_names=False, raise_exceptions=True
        )
        try:
            yield connection
        finally:
            connection.unbind()

    def add(self, name: str, classes: Sequence[str], attributes: Mapping[str, Any]) -> str:
        with self.admin() as connection:
            connection.add(name, list(classes), dict(attributes))
        return name

    def person(self, user: str, password: str | None = "secret", base: str = PEOPLE_BASE, **more: Any) -> str:
        """Adds a person; returns their distinguished name."""
        attributes = {"uid": user, "cn": user, "sn": user, **more}
        if password is not None:
            attributes["userPassword"] = password
        return self.add(f"uid={escaped(user)},{base}", ["inetOrgPerson"], attributes)

    def group(self, name: str, *members: str, base: str = GROUP_BASE) -> str:
        """Adds a groupOfNames; returns its distinguished name."""
        # A groupOfNames has at least one member.
        attributes = {"cn": name, "member": [_ROOT, *members]}
        return self.add(f"cn={escaped(name)},{base}", ["groupOfNames"], attributes)

    def join(self, group: str, member: str) -> None:
        with self.admin() as connection:
            connection.modify(group, {"member": [(ldap3.MODIFY_ADD, [member])]})

    def leave(self, group: str, member: str) -> None:
        with self.admin() as connection:
            connection.modify(group, {"member": [(ldap3.MODIFY_DELETE, [member])]})

    def change(self, name: str, **values: Any) -> None:
        """Sets values, those as well that the server keeps for itself (relax rules control)."""
        changes = {key: [(ldap3.MODIFY_REPLACE, [value])] for key, value in values.items()}
        with self.admin() as connection:
            connection.modify(name, changes, controls=[("1.3.6.1.4.1.4203.666.5.12", True, None)])

    def remove(self, name: str) -> None:
        with self.admin() as connection:
            connection.delete(name)

    def _grow(self) -> None:
        self.add(BASE, ["dcObject", "organization"], {"dc": "example", "o": "Example"})
        for unit in ("people", "groups", "services", "policies"):
            self.add(f"ou={unit},{BASE}", ["organizationalUnit"], {"ou": unit})
        self.add(
            SERVICE,
            ["organizationalRole", "simpleSecurityObject"],
            {"cn": "landfall", "userPassword": SERVICE_PASSWORD},
        )
        policy = {
            "cn": "strict",
            "pwdAttribute": "userPassword",
            "pwdLockout": "TRUE",
            "pwdMaxFailure": "2",
            "pwdLockoutDuration": "0",
            "pwdMaxAge": "86400",
            "pwdMustChange": "TRUE",
        }
        self.add(_STRICT, ["device", "pwdPolicy"], policy)


STRICT = {"pwdPolicySubentry": _STRICT}
"""Attributes of a person whose account is locked after two wrong passwords, whose password lasts a day."""


@contextlib.contextmanager
def running(root: Path, authority: trustme.CA, **more: Any) -> Iterator[Slapd]:
    """A server for the block; stopped at its end, whatever happened."""
    slapd = Slapd(root, authority, **more)
    try:
        yield slapd.make()
    finally:
        slapd.stop()
