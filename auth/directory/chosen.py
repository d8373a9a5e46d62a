"""The directory that the settings name."""

from __future__ import annotations

from auth.directory import Directory
from auth.directory.file import FileDirectory
from conf.settings import Settings


def chosen(settings: Settings) -> Directory:
    """Directory servers where ``auth.url`` names some, else the people in a file below home."""
    if not settings.auth.url:
        return FileDirectory.of(settings.home)
    # ldap3 takes its time, which a laptop without a server is spared.
    from auth.directory.ldap import LdapDirectory

    return LdapDirectory(tuple(settings.auth.url.split()), settings.ldap, plain=settings.env == "dev")
