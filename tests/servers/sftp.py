"""A real OpenSSH server, set up by ``landfall sftp config`` with accounts of its own, and clients that come to it.

Nothing below /tmp can be a chroot (all may write there), so the landing lies below /srv while the tests last.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from auth.directory.file import FileDirectory
from tests.installation import OPERATOR, Installation
from tests.servers import alone, free_port, missing, program

ADMIN = "ada"
_SECONDS_TO_START = 90
CLIENTS = ("demo", "rival")
_GRANTS = """
[[grants]]
group = "admins"
role = "admin"
client = "*"
feeds = "*"
[[grants]]
group = "operators"
role = "operator"
client = "*"
feeds = "*"
"""
_CLIENT = """
client = "{client}"

[sftp]
keys = ["{key}"]
from = ["127.0.0.0/8"]
"""
_FEED = """
[feeds.{feed}]
kind = "images"
sources = ["127.0.0.1:{port}"]
size = "/(?P<width>\\\\d+)/(?P<height>\\\\d+)$"
complete = "{complete}"
settle_seconds = 12
"""
FEEDS = {"photos": "rename", "scans": "sidecar", "slides": "settle"}

# Passes bytes on to the server; after so many it kills the client, and itself, as a lost laptop would.
_CUT = """
import os, select, signal, socket, sys
left = int(sys.argv[2])
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
while True:
    for ready in select.select([0, server], [], [])[0]:
        piece = os.read(0, 4096) if ready == 0 else server.recv(65536)
        if not piece:
            sys.exit()
        if ready == 0:
            server.sendall(piece[:left])
            left -= len(piece)
            if left <= 0:
                os.killpg(0, signal.SIGKILL)
        else:
            os.write(1, piece)
"""


@dataclass(frozen=True)
class SftpHost(Installation):
    """An installation whose landing is reached by SFTP.

    Attributes:
        base: a directory of root's below /srv.
        prefix: begins the names of all accounts.
        sshd: port of the server.
    """

    base: Path = field(default_factory=lambda: Path("/srv") / f"landfall-test-{secrets.token_hex(4)}")
    prefix: str = field(default_factory=lambda: f"lf{secrets.token_hex(3)}")
    sshd: int = field(default_factory=free_port)

    @property
    def landing(self) -> Path:
        return self.base / "landing"

    @property
    def directory(self) -> Path:
        return self.base / "sftp"

    @property
    def incoming(self) -> Path:
        return self.landing / self.client / "incoming/photos"

    @property
    def outbox(self) -> Path:
        return self.landing / self.client / "outbox/photos"

    @property
    def runner(self) -> str:
        return f"{self.prefix}-run"

    def user(self, client: str) -> str:
        return f"{self.prefix}-{client}"

    def key(self, client: str) -> Path:
        return self.root / f"key-{client}"

    def environment(self, user: str | None = OPERATOR) -> dict[str, str]:
        return {
            **super().environment(user),
            "LANDFALL_LANDING__ROOT": str(self.landing),
            "LANDFALL_SFTP__PORT": str(self.sshd),
            "LANDFALL_SFTP__LISTEN": "127.0.0.1",
            "LANDFALL_SFTP__DIRECTORY": str(self.directory),
            "LANDFALL_SFTP__USER": f"{self.prefix}-{{client}}",
            "LANDFALL_SFTP__GROUP": f"{self.prefix}-all",
            "LANDFALL_SFTP__RUNNER": self.runner,
        }

    def prepare(self) -> SftpHost:
        super().prepare()
        shutil.rmtree(self.base)  # Landfall makes it
        (self.conf / "grants.toml").write_text(_GRANTS)
        FileDirectory.of(self.home).add(ADMIN, f"password of {ADMIN}", ["admins"])
        password = self.root / ADMIN
        password.write_text(f"password of {ADMIN}")
        password.chmod(0o600)
        for client in CLIENTS:
            make = ("-q", "-t", "ed25519", "-N", "", "-C", client, "-f", str(self.key(client)))
            subprocess.run([program("ssh-keygen"), *make], check=True)
            self.write_client(client)
        return self

    def write_client(self, client: str, *feeds: str, key_of: str | None = None) -> None:
        """The client's file, with feeds of ``FEEDS`` (all, if none is named)."""
        key = self.key(key_of or client).with_suffix(".pub").read_text().strip()
        text = _CLIENT.format(client=client, key=key)
        for feed in feeds or FEEDS:
            text += _FEED.format(feed=feed, port=self.port, complete=FEEDS[feed])
        (self.conf / "clients" / f"{client}.toml").write_text(text)

    def config(self, *options: str) -> subprocess.CompletedProcess[str]:
        """``landfall sftp config`` as its admin."""
        with alone("accounts"):
            return self.landfall("sftp", "config", *options, user=ADMIN)

    def sh(self, script: str) -> None:
        """Runs a script that makes or removes accounts."""
        with alone("accounts"):
            subprocess.run(["/bin/sh"], input=script, text=True, check=True, stdout=subprocess.DEVNULL)

    @contextmanager
    def running(self) -> Iterator[None]:
        """The server, as it is set up, until the block ends."""
        log = self.root / "sshd.log"
        with log.open("wb") as said:
            server = subprocess.Popen(
                [program("sshd"), "-D", "-e", "-f", str(self.directory / "sshd_config")], stderr=said
            )
        try:
            self._await(log)
            known = (self.directory / "host_ed25519_key.pub").read_text()
            (self.root / "known_hosts").write_text(f"[127.0.0.1]:{self.sshd} {known}")
            yield
        finally:
            server.terminate()
            server.wait(10)

    def _await(self, log: Path) -> None:
        deadline = time.monotonic() + _SECONDS_TO_START
        while not self._answers():
            if time.monotonic() > deadline:
                raise AssertionError(f"sshd does not come up: {log.read_text()}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.sshd), 1) as peer:
            return peer.recv(4) == b"SSH-"
        return False

    def options(self, client: str, key_of: str | None = None) -> list[str]:
        """What ssh and sftp are told: whom they are, and to believe no other server."""
        options = {
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "IdentityFile": self.key(key_of or client),
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": self.root / "known_hosts",
            "Port": self.sshd,
            "User": self.user(client),
        }
        return ["-F", "none", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]

    def sftp(
        self, client: str, *commands: str, key_of: str | None = None, cut: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """One session of the real client. A command that begins with ``-`` may fail.

        Args:
            key_of: whose key it shows.
            cut: the client is killed once so many bytes have gone to the server.
        """
        proxy = []
        if cut is not None:
            words = (sys.executable, "-c", _CUT, str(self.sshd), str(cut))
            proxy = ["-o", f"ProxyCommand={shlex.join(words).replace('%', '%%')}"]
        return self._run(
            [program("sftp"), *self.options(client, key_of), *proxy, "-b", "-", "127.0.0.1"], "\n".join(commands)
        )

    def ssh(self, client: str, *arguments: str, user: str = "") -> subprocess.CompletedProcess[str]:
        """What the client tries besides SFTP, as another user if one is named."""
        who = ["-l", user] if user else []
        return self._run([program("ssh"), *who, *self.options(client), *arguments], "")

    def _run(self, command: list[str], standard_input: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            input=standard_input,
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            start_new_session=True,
        )

    def answers(self, client: str, goal: Path) -> list[Path]:
        """What the client fetches from all its outboxes."""
        goal.mkdir()
        got = self.sftp(client, f"lcd {goal}", *(f"-get outbox/{feed}/*" for feed in FEEDS), "-get outbox/*.json")
        assert got.returncode == 0, got.stderr
        return sorted(goal.iterdir())

    def remove(self) -> None:
        """Takes accounts, groups and the directory away."""
        with alone("accounts"):
            for user in [entry.pw_name for entry in pwd.getpwall() if entry.pw_name.startswith(f"{self.prefix}-")]:
                subprocess.run([program("userdel"), "--force", user], check=True, capture_output=True)
            subprocess.run([program("groupdel"), f"{self.prefix}-all"], check=False, capture_output=True)
        shutil.rmtree(self.base, ignore_errors=True)


@contextmanager
def sftp_host(root: Path, port: int) -> Iterator[SftpHost]:
    """An installation to be set up; skips where this is not root's machine.

    Args:
        root: where state and configuration lie; made.
        port: of the web that the clients' catalogues name.
    """
    if os.geteuid() != 0:
        missing("An OpenSSH server for clients", "Run the tests as root: accounts are made for them.")
    for name in ("sshd", "sftp", "useradd"):
        program(name)
    host = SftpHost(root, port)
    try:
        yield host.prepare()
    finally:
        host.remove()
