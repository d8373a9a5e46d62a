"""Groups and accounts of the system."""

from __future__ import annotations

import contextlib
import grp
import itertools
import pwd
import shlex
from dataclasses import dataclass
from pathlib import Path

from auth.private import write_private
from conf.errors import ConfigError, StorageError
from landfall.sftp.steps import BARE, run


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
    """An account without a shell or a password, with a group of its own name and the same number.

    The number is written down: files keep their owner where accounts are made anew, as in a container.

    Attributes:
        comment: what it is for; by it an account that is there is known as ours.
        group: it is a member of, besides its own.
        numbers: directory with a file for each account, which holds its number.
        first: the least number.
    """

    name: str
    comment: str
    home: str
    group: str
    numbers: Path
    first: int

    def script(self) -> str:
        words = (self.name, self.comment, self.home, self.group, str(self.numbers), str(self.first))
        return f"account {shlex.join(words)}"

    def apply(self) -> str:
        try:
            found = pwd.getpwnam(self.name)
        except KeyError:
            self._make()
            return f"Account {self.name} made."
        if found.pw_gecos != self.comment or found.pw_uid == 0:
            raise ConfigError(f"The account {self.name} is there and is not Landfall's: choose another sftp.user.")
        if found.pw_dir == self.home:
            return ""
        run("usermod", "--home", self.home, self.name)
        return f"Account {self.name}: its home is {self.home} now."

    def _make(self) -> None:
        number = self._number()
        with contextlib.suppress(StorageError):  # left by a run that was killed; if it is another's, useradd says so
            run("groupadd", "--gid", number, self.name)
        what = ("--uid", number, "--gid", number, "--groups", self.group, "--comment", self.comment)
        run("useradd", *what, *BARE, "--home-dir", self.home, "--password", "*", self.name)

    def _number(self) -> str:
        file = self.numbers / self.name
        if not file.exists():
            taken = {int(other.read_text()) for other in self.numbers.iterdir()}
            taken |= {found.pw_uid for found in pwd.getpwall()} | {found.gr_gid for found in grp.getgrall()}
            number = next(number for number in itertools.count(self.first) if number not in taken)
            write_private(file, f"{number}\n".encode())
        return str(int(file.read_text()))


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
        return ["--system", "--user-group", "--comment", "Landfall", *BARE, "--home-dir", self.home, self.name]


def is_account(name: str) -> bool:
    """Whether this host has an account of the name."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
