"""Directories and files that sshd trusts and clients reach, or do not."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path

from auth.private import write_private
from conf.errors import ConfigError
from targets.faults import faults
from targets.landing.held import held

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Ground:
    """A directory of root's that nobody else can change, nor any directory above it, as sshd asks of a chroot."""

    path: Path

    def script(self) -> str:
        return f"safe {shlex.quote(str(self.path))}"

    def apply(self) -> str:
        made = ""
        for path in (*reversed(self.path.parents), self.path):
            with faults(path):
                with contextlib.suppress(FileExistsError):
                    path.mkdir(mode=0o755)
                    path.chmod(0o755)
                    made = f"{self.path} made."
                found = path.stat()
            if found.st_uid != 0 or found.st_mode & 0o022:
                raise ConfigError(
                    f"{path} must be root's, and writable to nobody else: sshd trusts no directory below it. "
                    "Mend that, or name another landing.root or sftp.directory."
                )
        return made


@dataclass(frozen=True)
class Directory:
    """A directory below a root of which no part may be a link.

    Attributes:
        root: stands already.
        mode: with the set-group-ID bit, what is made in it has its group.
    """

    root: Path
    path: Path
    owner: str
    group: str
    mode: int

    def script(self) -> str:
        return f"directory {self.owner} {self.group} {self.mode:04o} {shlex.quote(str(self.path))}"

    def apply(self) -> str:
        wanted = (pwd.getpwnam(self.owner).pw_uid, grp.getgrnam(self.group).gr_gid, self.mode)
        with faults(self.path), held(self.root, self.path.parent) as parent:
            made = False
            with contextlib.suppress(FileExistsError):
                os.mkdir(self.path.name, 0o700, dir_fd=parent)
                made = True
            descriptor = os.open(self.path.name, _DIRECTORY, dir_fd=parent)
            try:
                found = os.fstat(descriptor)
                if (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == wanted:
                    return ""
                os.fchown(descriptor, wanted[0], wanted[1])
                os.fchmod(descriptor, self.mode)
            finally:
                os.close(descriptor)
        return f"{self.path} {'made' if made else 'set'}: {self.owner}:{self.group} {self.mode:04o}."


@dataclass(frozen=True)
class KeyFile:
    """A client's public keys, which its account may read and root alone may write."""

    path: Path
    content: str
    group: str

    def script(self) -> str:
        return f"file root {self.group} 0640 {shlex.quote(str(self.path))} <<'END'\n{self.content}END"

    def apply(self) -> str:
        group = grp.getgrnam(self.group).gr_gid
        with faults(self.path):
            same = self.path.is_file() and self.path.read_text() == self.content
            if not same:
                write_private(self.path, self.content.encode())
            found = self.path.stat()
            if (found.st_gid, stat.S_IMODE(found.st_mode)) != (group, 0o640):
                os.chown(self.path, 0, group, follow_symlinks=False)
                self.path.chmod(0o640)
        return "" if same else f"{self.path} written: {self.content.count(chr(10))} key(s)."


@dataclass(frozen=True)
class NoFile:
    """A file that must not be there."""

    path: Path
    why: str

    def script(self) -> str:
        return f"rm -f {shlex.quote(str(self.path))}  # {self.why}"

    def apply(self) -> str:
        with faults(self.path):
            try:
                self.path.unlink()
            except FileNotFoundError:
                return ""
        return f"{self.path} removed: {self.why}."
