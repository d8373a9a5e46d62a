"""An installation of Landfall in a temporary directory, driven as its users drive it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from auth.directory.file import FileDirectory

BIN = Path(sys.executable).parent
OPERATOR = "olga"
CLIENT = """
client = "{client}"

[feeds.photos]
kind = "images"
sources = ["127.0.0.1:{port}"]
size = "/(?P<width>\\\\d+)/(?P<height>\\\\d+)$"
transforms = ["grayscale"]
max_transient = "2%"
{more}
"""
GRANTS = """
[[grants]]
group = "operators"
role = "operator"
client = "{client}"
feeds = "*"

[[grants]]
group = "viewers"
role = "viewer"
client = "{client}"
feeds = "*"
"""


@dataclass(frozen=True)
class Installation:
    """State, configuration and an operator who may run the client.

    Attributes:
        root: directory that holds ``home`` and ``conf``.
        port: of the web that the client's catalogues name.
        variables: what its processes find in their environment besides.
    """

    root: Path
    port: int
    client: str = "demo"
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def conf(self) -> Path:
        return self.root / "conf"

    @property
    def incoming(self) -> Path:
        return self.home / "landing" / self.client / "incoming/photos"

    @property
    def outbox(self) -> Path:
        return self.home / "landing" / self.client / "outbox/photos"

    @property
    def lake(self) -> Path:
        return self.home / "lake/test/clients" / self.client

    def prepare(self) -> Installation:
        (self.conf / "clients").mkdir(parents=True)
        (self.conf / "test.toml").write_bytes((Path("conf") / "test.toml").read_bytes())
        (self.conf / "grants.toml").write_text(GRANTS.format(client=self.client))
        self.configure()
        self.home.mkdir(mode=0o700)
        for user, group in ((OPERATOR, "operators"), ("vera", "viewers"), ("stranger", "others")):
            FileDirectory.of(self.home).add(user, f"password of {user}", [group])
            password = self.root / user
            password.write_text(f"password of {user}")
            password.chmod(0o600)
        self.incoming.mkdir(parents=True)
        return self

    def configure(self, more: str = "") -> None:
        """Writes the client's file, with more settings of its feed."""
        text = CLIENT.format(client=self.client, port=self.port, more=more)
        lines = {line.partition(" = ")[0]: line for line in text.splitlines() if " = " in line and line not in more}
        for line in more.splitlines():
            lines[line.partition(" = ")[0]] = line
        client = lines.pop("client")
        body = "\n".join(lines.values())
        (self.conf / "clients" / f"{self.client}.toml").write_text(f"{client}\n\n[feeds.photos]\n{body}\n")

    def environment(self, user: str | None = OPERATOR) -> dict[str, str]:
        """What a process of this installation finds in its environment."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("LANDFALL_", "LUIGI_", "HADOOP_"))
        }
        who = {} if user is None else {"LANDFALL_USER": user, "LANDFALL_PASSWORD_FILE": str(self.root / user)}
        places = {"LANDFALL_ENV": "test", "LANDFALL_HOME": str(self.home), "LANDFALL_CONF": str(self.conf)}
        return {**kept, **places, **who, **self.variables}

    def add_feed(self, feed: str, text: str) -> None:
        """Puts one more feed into the client's file, or another configuration in place of the one that it has there.

        Args:
            text: what is below ``[feeds.<feed>]``.
        """
        file = self.conf / "clients" / f"{self.client}.toml"
        mark = f"\n# feed {feed}\n"
        before, _, rest = file.read_text().partition(mark)
        _, next_mark, after = rest.partition("\n# feed ")
        file.write_text(f"{before}{mark}[feeds.{feed}]\n{text}\n{next_mark}{after}")
        (self.incoming.parent / feed).mkdir(exist_ok=True)

    def upload(self, name: str, content: bytes, feed: str = "photos") -> None:
        """What a client does by SFTP."""
        incoming = self.incoming.parent / feed
        (incoming / f".{name}.part").write_bytes(content)
        (incoming / f".{name}.part").rename(incoming / name)

    def luigi_command(self, port: int | None = None) -> list[str]:
        """What an operator types.

        Args:
            port: of a central scheduler; None: the run's own.
        """
        scheduler = ["--local-scheduler"] if port is None else ["--scheduler-port", str(port)]
        return [str(BIN / "luigi"), "--module", "pipelines", "RunClient", "--client", self.client, *scheduler]

    def run(
        self, user: str | None = OPERATOR, port: int | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs the client to its end."""
        return self._call(self.luigi_command(port), user, more)

    def start(
        self, told: IO[bytes] | int = subprocess.DEVNULL, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Starts a run in a process group of its own.

        Args:
            told: takes what it says.
            environment: what it finds there; None: the installation's own.
        """
        return subprocess.Popen(
            self.luigi_command(),
            env=self.environment() if environment is None else dict(environment),
            cwd=self.root,
            stdout=told,
            stderr=told,
            start_new_session=True,
        )

    def luigi(self, *arguments: str, user: str | None = OPERATOR, **more: str) -> subprocess.CompletedProcess[str]:
        """Runs Luigi's command on our tasks."""
        return self._call([str(BIN / "luigi"), "--module", "pipelines", *arguments], user, more)

    def landfall(self, *arguments: str, user: str | None = OPERATOR) -> subprocess.CompletedProcess[str]:
        """Runs the command line."""
        return self._call([str(BIN / "landfall"), *arguments], user, {})

    def receipts(self, feed: str = "photos") -> list[dict[str, Any]]:
        """What the client was answered, in order of the uploads' names."""
        outbox = self.outbox.parent / feed
        found = sorted(outbox.glob("*.receipt.json")) if outbox.exists() else []
        return [json.loads(file.read_text()) for file in found]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What SQL over the star gives."""
        done = self.landfall("query", "--client", self.client, "--format", "json", sql)
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def digest(self) -> str:
        done = self.landfall("digest", "--client", self.client)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def _call(self, command: list[str], user: str | None, more: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env={**self.environment(user), **more},
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
