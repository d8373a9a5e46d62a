"""What a host needs for the SFTP landing of some clients.

::

    <root>                      root:<runner>      0750  nobody but the runner passes
    <root>/.claimed, .refused   <runner>           0700  out of every client's reach
    <root>/.claimed/<client>    <runner>:<client>  2700  answers made in here are the client's group's
    <root>/<client>             root:root          0755  the client's chroot
        incoming/               root:root          0755
        incoming/<feed>/        <client>:<runner>  2770  what is uploaded has the runner's group, and umask 0027
        outbox/, outbox/<feed>/ <runner>:<client>  2750  receipts are 0640
"""

from __future__ import annotations

import grp
import pwd
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from conf.client import ClientConfig
from conf.errors import ConfigError
from conf.names import is_name
from conf.problems import shown
from conf.sections.sftp import LONGEST_USER, PLAIN_PATH, PLAIN_PATH_RULE
from conf.settings import Settings
from landfall.sftp.accounts import Account, Group, Runner
from landfall.sftp.places import Directory, Ground, KeyFile, NoFile
from landfall.sftp.server import HostKey, SshdConfig
from landfall.sftp.sshd import authorized_keys, host_key, sshd_config
from landfall.sftp.steps import Step
from targets.landing.layout import LandingLayout

# sshd's own process without privileges is confined here.
_SEPARATION = Path("/run/sshd")


@dataclass(frozen=True)
class Host:
    """The host of the SFTP server, by its settings."""

    settings: Settings

    @property
    def root(self) -> Path:
        """Where the landing is; ConfigError if sshd_config and passwd could not hold its path."""
        path = self.settings.sftp.root or str(self.settings.landing_root)
        if not PLAIN_PATH.fullmatch(path):
            raise ConfigError(f"landing.root is {shown(path)}; for SFTP {PLAIN_PATH_RULE}.")
        return Path(path)

    @property
    def directory(self) -> Path:
        return Path(self.settings.sftp.directory)

    @property
    def keys(self) -> Path:
        return self.directory / "keys"

    @property
    def numbers(self) -> Path:
        """Where the accounts' numbers are written down."""
        return self.directory / "numbers"

    @property
    def config(self) -> Path:
        return self.directory / "sshd_config"

    def user(self, client: str) -> str:
        """The client's account; ConfigError if its name would be too long."""
        name = self.settings.sftp.user.replace("{client}", client)
        if len(name) > LONGEST_USER:
            raise ConfigError(
                f"The account {name} of client {client} would have more than {LONGEST_USER} characters: "
                "choose a shorter sftp.user."
            )
        return name

    def runner(self) -> tuple[str, str]:
        """The runner's account and its group, which is of the same name where there is no such account yet."""
        name = self.settings.sftp.runner
        try:
            return name, grp.getgrgid(pwd.getpwnam(name).pw_gid).gr_name
        except KeyError:
            return name, name

    def base(self) -> Iterator[Step]:
        """What does not depend on clients."""
        sftp, (runner, group) = self.settings.sftp, self.runner()
        yield Group(sftp.group)
        if runner == group:
            yield Runner(runner, str(self.settings.home.absolute()))
        yield Ground(self.root.parent)
        for path, owner, its, mode in (
            (self.root, "root", group, 0o750),
            (self.root / ".claimed", runner, group, 0o700),
            (self.root / ".refused", runner, group, 0o700),
        ):
            yield Directory(self.root.parent, path, owner, its, mode)
        yield Ground(self.directory)
        yield Directory(self.directory, self.keys, "root", "root", 0o711)
        yield Directory(self.directory, self.numbers, "root", "root", 0o700)
        yield Ground(_SEPARATION)
        yield HostKey(Path(host_key(sftp)))
        yield SshdConfig(self.config, sshd_config(sftp))

    def client(self, config: ClientConfig) -> Iterator[Step]:
        """One client's directories, and its account if a key is to open it."""
        runner, runners = self.runner()
        layout = LandingLayout(self.root, config.client)
        place = self.root / config.client
        user = group = self.user(config.client)
        file = self.keys / user
        if config.sftp.keys:
            sftp = self.settings.sftp
            yield Account(user, _comment(config.client), str(place), sftp.group, self.numbers, sftp.first_number)
        else:
            user, group = runner, runners
            yield NoFile(file, "the client has no key")
        feeds = ["", *config.feeds]
        for path, owner, its, mode in (
            (place, "root", "root", 0o755),
            (layout.incoming, "root", "root", 0o755),
            *((layout.incoming / feed, user, runners, 0o2770) for feed in config.feeds),
            *((layout.outbox(feed), runner, group, 0o2750) for feed in feeds),
            (layout.claims, runner, group, 0o2700),
            *((layout.claims_of(feed), runner, group, 0o2700) for feed in feeds),
        ):
            yield Directory(self.root, path, owner, its, mode)
        if config.sftp.keys:  # last: nobody comes before all is ready
            yield KeyFile(file, authorized_keys(config.sftp), group)

    def strangers(self, clients: Collection[str]) -> dict[str, Step]:
        """Key files of clients that have no file (any more), by the client's id."""
        before, _, after = self.settings.sftp.user.partition("{client}")
        known = {self.settings.sftp.user.replace("{client}", client) for client in clients}
        found: dict[str, Step] = {}
        for file in sorted(self.keys.glob("*")):
            client = file.name.removeprefix(before).removesuffix(after)
            if file.name not in known and f"{before}{client}{after}" == file.name and is_name(client):
                found[client] = NoFile(file, f"there is no client {client}")
        return found


def _comment(client: str) -> str:
    return f"Landfall client {client}"
