"""The SFTP server itself: its key and its configuration."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from auth.private import write_private
from landfall.sftp.steps import run
from targets.faults import faults


@dataclass(frozen=True)
class HostKey:
    """The server's own key, made where there is none."""

    path: Path

    def script(self) -> str:
        path = shlex.quote(str(self.path))
        return f"[ -f {path} ] || ssh-keygen -q -t ed25519 -N '' -C landfall -f {path}\nchmod 0644 {path}.pub"

    def apply(self) -> str:
        if self.path.exists():
            return ""
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "landfall", "-f", str(self.path))
        return f"{self.path} made. Tell the clients its fingerprint: ssh-keygen -lf {self.path}.pub"


@dataclass(frozen=True)
class SshdConfig:
    """The server's configuration; put in place only once sshd finds nothing wrong with it."""

    path: Path
    content: str

    def script(self) -> str:
        path, new = shlex.quote(str(self.path)), shlex.quote(f"{self.path}.new")
        lines = (
            f"cat >{new} <<'END'\n{self.content}END",
            f'"$(command -v sshd || echo /usr/sbin/sshd)" -t -f {new}',
            f"chmod 0644 {new}",
            f"mv {new} {path}",
        )
        return "\n".join(lines)

    def apply(self) -> str:
        new = self.path.with_name(f"{self.path.name}.new")
        with faults(self.path):
            same = self.path.is_file() and self.path.read_text() == self.content
            try:
                write_private(new, self.content.encode())
                run("sshd", "-t", "-f", str(new))
                new.chmod(0o644)
                new.replace(self.path)
            finally:
                new.unlink(missing_ok=True)
        return "" if same else f"{self.path} written."
