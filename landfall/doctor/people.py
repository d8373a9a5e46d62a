"""The directory that proves who people are."""

from __future__ import annotations

from collections.abc import Iterator

from auth.directory.file import FileDirectory
from auth.directory.ldap import LdapDirectory
from conf.errors import LandfallError
from conf.settings import Settings
from landfall.doctor.finding import Finding, ill, well

_PART = "people"
_NOBODY = "landfall-doctor"


def people(settings: Settings) -> Iterator[Finding]:
    """Reach of the file, or of each server: TLS, the service account, what it may see. Nobody is bothered."""
    if not settings.auth.url:
        directory = FileDirectory.of(settings.home)
        directory.find(_NOBODY)
        yield well(_PART, "reach", f"the file {directory.path}, for dev and test only")
        return
    for url in settings.auth.url.split():
        plain = settings.env == "dev" and url.startswith("ldap://") and not settings.ldap.start_tls
        try:
            LdapDirectory((url,), settings.ldap, plain).look()
        except LandfallError as error:
            yield ill(_PART, url, error)
        else:
            yield well(
                _PART, url, "not encrypted, for dev only" if plain else "encrypted, certificate and name checked"
            )
