"""``landfall sftp config``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from landfall.arguments import AnyClientOption

if TYPE_CHECKING:
    from conf.client import ClientConfig
    from conf.errors import LandfallError
    from landfall.sftp.plan import Host
    from landfall.sftp.steps import Step

_HEAD = """\
#!/bin/sh
# Landfall's SFTP landing: run it as root on the host of the SFTP server, as often as you like.
# `landfall sftp config --apply` does the same on this host and says what it changed.
set -eu
umask 077
PATH="$PATH:/usr/sbin:/sbin"
"""


def config(
    client: AnyClientOption = None,
    apply: Annotated[bool, typer.Option("--apply", help="Make it on this host, as root; say what changed.")] = False,
    sshd: Annotated[bool, typer.Option("--sshd", help="Print the sshd_config alone.")] = False,
) -> None:
    """Print the SFTP server's set-up for all clients that you may admit, as a shell script; or make it.

    Accounts, directories, keys and sshd_config come from the settings and the clients' files. Repeat it after a client,
    a feed or a key was added or removed; sessions under way go on.
    """
    from conf.settings import load_settings
    from landfall.sftp.plan import Host
    from landfall.sftp.sshd import sshd_config
    from landfall.sftp.steps import require_root

    granted = _granted(client)
    settings = load_settings()
    if sshd:
        print(sshd_config(settings.sftp), end="")
        return
    if apply:
        require_root()
    host = Host(settings)
    configs, faults = _configs(granted)
    (_apply if apply else _print)(host, configs, faults, _strangers(host) if client is None else [])
    if faults:
        from conf.errors import ConfigError

        raise ConfigError(*map(str, faults)) if len(faults) > 1 else faults[0]


def _granted(client: str | None) -> list[str]:
    """The client that is named, or all that the caller may admit; AccessDenied if that is none."""
    from auth.gate import authorize
    from conf.client import client_ids
    from conf.errors import AccessDenied, NotFound

    if client is not None:
        return [authorize(client, "onboard").client]
    granted, denied = [], None
    for each in client_ids():
        try:
            granted.append(authorize(each, "onboard").client)
        except AccessDenied as error:
            denied = error
    if granted:
        return granted
    raise denied or NotFound("There are no clients yet.", "Write conf/clients/<client>.toml.")


def _configs(clients: list[str]) -> tuple[list[ClientConfig], list[LandfallError]]:
    """The clients' files; a broken one leaves its client as it is and keeps no other from being set up."""
    from conf.client import load_client
    from conf.errors import LandfallError

    configs, faults = [], []
    for client in clients:
        try:
            configs.append(load_client(client))
        except LandfallError as error:
            faults.append(error)
    return configs, faults


def _strangers(host: Host) -> list[Step]:
    """What shuts out clients whose file has gone, as far as the caller may say so."""
    from auth.gate import authorize
    from conf.client import client_ids
    from conf.errors import AccessDenied

    steps = []
    for client, step in host.strangers(client_ids()).items():
        try:
            authorize(client, "onboard")
        except AccessDenied:
            continue
        steps.append(step)
    return steps


def _print(host: Host, configs: list[ClientConfig], faults: list[LandfallError], strangers: list[Step]) -> None:
    from conf.errors import ConfigError
    from landfall.sftp.steps import FUNCTIONS

    print(_HEAD)
    print(FUNCTIONS)
    for step in host.base():
        print(step.script())
    for each in configs:
        try:
            lines = [step.script() for step in host.client(each)]
        except ConfigError as error:
            faults.append(error)
            continue
        print(f"\n# client {each.client}" + ("" if each.sftp.keys else ": no key in its file, so no account"))
        print(*lines, sep="\n")
    if strangers:
        print("\n# clients that have no file any more")
        print(*(step.script() for step in strangers), sep="\n")
    print(f"\n# to start it: {_start(host)}")


def _apply(host: Host, configs: list[ClientConfig], faults: list[LandfallError], strangers: list[Step]) -> None:
    from conf.errors import LandfallError
    from landfall.terminal import count, say

    said = [_done(step) for step in host.base()]
    for each in configs:
        try:
            said += [_done(step) for step in host.client(each)]
        except LandfallError as error:
            faults.append(error)
    said += [_done(step) for step in strangers]
    say(f"{count(sum(map(bool, said)), 'change')}; {count(len(configs), 'client')} looked at.")
    if any(sentence.startswith(str(host.config)) for sentence in said):
        say(f"Start it: {_start(host)}; if it runs, have it read its configuration again: kill -HUP <its process>")


def _done(step: Step) -> str:
    from landfall.terminal import say

    sentence = step.apply()
    if sentence:
        say(sentence)
    return sentence


def _start(host: Host) -> str:
    return f"/usr/sbin/sshd -D -e -f {host.config}"
