"""Groups and accounts of the system."""

from __future__ import annotations

import contextlib
import grp
import pwd
import shlex
from dataclasses import dataclass

from conf.errors import ConfigError
from landfall.sftp.steps import NOLOGIN, run


@dataclass(frozen=True)
class Group:
    """A group of the system."""

    name: str

    def script(self) -> str:
        return f"group {self.name}"

    def apply(self) -> str:
        with contextlib.suppress(KeyError):
            grp.getgrnam(self.name)
            return ""
        run("groupadd", "--system", self.name)
        return f"Group {self.name} made."


@dataclass(frozen=True)
class Account:
    """An account without a shell or a password, with a group of its own name.

    Attributes:
        comment: what it is for; by it an account that is there is known as ours.
        groups: it is a member of, besides its own.
    """

    name: str
    comment: str
    home: str
    groups: str = ""

    def script(self) -> str:
        return f"account {self.name} {shlex.quote(self.comment)} {shlex.quote(self.home)} {self.groups}".rstrip()

    def apply(self) -> str:
        try:
            found = pwd.getpwnam(self.name)
        except KeyError:
            groups = ("--groups", self.groups) if self.groups else ()
            what = ("--system", "--user-group", "--no-create-home", "--comment", self.comment, *groups)
            run("useradd", *what, "--home-dir", self.home, "--shell", NOLOGIN, "--password", "*", self.name)
            return f"Account {self.name} made."
        if found.pw_gecos != self.comment or found.pw_uid == 0:
            raise ConfigError(f"The account {self.name} is there and is not Landfall's: choose another sftp.user.")
        if found.pw_dir == self.home:
            return ""
        run("usermod", "--home", self.home, self.name)
        return f"Account {self.name}: its home is {self.home} now."


@dataclass(frozen=True)
class Runner:
    """The account that runs Landfall, made where there is none; one that is there is left as it is."""

    name: str
    home: str

    def script(self) -> str:
        return f"getent passwd {self.name} >/dev/null || useradd {shlex.join(self._options())}"

    def apply(self) -> str:
        if is_account(self.name):
            return ""
        run("useradd", *self._options())
        return f"Account {self.name} made."

    def _options(self) -> list[str]:
        what = ["--system", "--user-group", "--no-create-home", "--comment", "Landfall"]
        return [*what, "--home-dir", self.home, "--shell", NOLOGIN, self.name]


def is_account(name: str) -> bool:
    """Whether this host has an account of the name."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
