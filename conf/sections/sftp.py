"""The SFTP server that clients reach the landing by."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, Field

from conf.sections.kinds import Count, Directory, Number, Port, Section, shaped

LONGEST_USER = 32  # useradd(8)

# What stands in sshd_config, passwd and a shell script as it is.
PLAIN_PATH = re.compile(r"(/[A-Za-z0-9_.-]+)+")
PLAIN_PATH_RULE = "it must be an absolute path of letters, digits, _, . and -"
_ACCOUNT = shaped(r"[a-z_][a-z0-9_-]{0,31}", "a name of a system account: up to 32 small letters, digits, _ and -")


def _template(text: str) -> str:
    before, found, after = text.partition("{client}")
    if not found or "{" in after or not all(c.isascii() and (c.isalnum() or c in "_-") for c in before + after):
        raise ValueError("it must hold {client} once, and small letters, digits, _ and - around it")
    if text != text.lower() or text[0] == "-" or len(before + after) >= LONGEST_USER:
        raise ValueError(f"it must make a name of a system account: small letters, at most {LONGEST_USER} characters")
    return text


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError("it must be an address, such as 192.0.2.1 or 2001:db8::1") from None


def _plain(text: str) -> str:
    if text and not PLAIN_PATH.fullmatch(text):
        raise ValueError(PLAIN_PATH_RULE)
    return text


def _given(text: str) -> str:
    if not text:
        raise ValueError("it must not be empty")
    return text


_Path = Annotated[Directory, AfterValidator(_plain)]


class Sftp(Section):
    """The SFTP server: OpenSSH as ``landfall sftp config`` sets it up."""

    port: Port = Field(2222, description="port of the SFTP server")
    listen: tuple[Annotated[str, AfterValidator(_address)], ...] = Field(
        (), description="addresses that the SFTP server listens on; empty: all"
    )
    root: _Path = Field(
        "", description="where the SFTP server's host has the landing, if elsewhere; empty means landing.root"
    )
    directory: Annotated[_Path, AfterValidator(_given)] = Field(
        "/etc/landfall/sftp", description="where its sshd_config, host key and the clients' keys lie"
    )
    host_key: _Path = Field(
        "", description="file of its host key; empty means <sftp.directory>/host_ed25519_key, made where it is missing"
    )
    user: Annotated[str, AfterValidator(_template)] = Field(
        "landfall-{client}", description="a client's system account, of at most 32 characters"
    )
    first_number: Annotated[int, Number, Field(ge=1000, le=2_000_000_000)] = Field(
        20_000, description="clients' accounts have numbers (uid, gid) from this one on, which they keep"
    )
    group: Annotated[str, _ACCOUNT] = Field("landfall-clients", description="the group of all clients' accounts")
    runner: Annotated[str, _ACCOUNT] = Field(
        "landfall", description="the system account that runs Landfall; its group reads what clients upload"
    )
    max_sessions: Count = Field(4, description="sessions of one connection")
    login_grace_seconds: Count = Field(30, description="time for a client to prove who it is")
    alive_seconds: Count = Field(60, description="a silent peer is asked so often whether it is there; gone after 3")
    idle_seconds: Annotated[int, Number, Field(ge=0)] = Field(
        0, description="a session in which nothing happens for so long is ended (OpenSSH 9.2 or later); 0: never"
    )
