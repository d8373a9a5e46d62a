"""What one setting says against another, and what prod refuses."""

from __future__ import annotations

from collections.abc import Iterator

from conf.sources import Sources

# What pydantic takes for false.
_NO = ("false", "f", "no", "n", "off", "0")


def at_odds(sources: Sources) -> list[str]:
    """What one setting says against another. Looks at what was said: so it speaks up too when others are wrong."""
    problems = [*_without_tls(sources), *_without_bases(sources), *_open_token(sources)]
    if sources.env != "prod":
        return problems
    if sources.raw("web", "allow_addresses"):
        where = sources.subject(("web", "allow_addresses"))
        problems.append(f"{where} is set; it is for dev and test only: leave it out where env is prod.")
    if str(sources.raw("images", "url") or "").startswith("mongodb"):
        problems += _open_mongo(sources)
    url = sources.raw("auth", "url")
    if not url:
        where = sources.subject(("auth", "url"))
        problems.append(
            f"{where} names no directory server; people in a file are for dev and test only: "
            "name one, such as ldaps://ldap.example.org, or choose LANDFALL_ENV=dev."
        )
    return problems


def _without_tls(sources: Sources) -> Iterator[str]:
    """Passwords would go over an unencrypted line."""
    plain = str(sources.raw("ldap", "start_tls")).lower() in _NO
    if plain and sources.env != "dev" and "ldap://" in str(sources.raw("auth", "url")).lower():
        yield (
            f"{sources.subject(('ldap', 'start_tls'))} is false, so passwords would go to ldap:// in the clear, "
            "which is for dev only: leave it out, or name ldaps:// servers in auth.url."
        )


def _open_token(sources: Sources) -> Iterator[str]:
    """A token would go over an unencrypted line."""
    plain = str(sources.raw("lineage", "url") or "").lower().startswith("http://")
    if plain and sources.raw("lineage", "token_file") and sources.env != "dev":
        yield (
            f"{sources.subject(('lineage', 'url'))} is http://, so the token would go there in the clear, which is for "
            "dev only: name an https:// address, or leave token_file out."
        )


def _without_bases(sources: Sources) -> Iterator[str]:
    """A directory server is named, and not where people and groups are."""
    if not sources.raw("auth", "url"):
        return
    for key, what in (("user_base", "people"), ("group_base", "groups")):
        by_name = key == "user_base" and sources.raw("ldap", "user_dn")
        if not sources.raw("ldap", key) and not by_name:
            yield (
                f"{sources.subject(('ldap', key))} is missing; auth.url names a directory server, so say where its "
                f"{what} are, such as ou={what},dc=example,dc=org (docs/ldap.md)."
            )


def _open_mongo(sources: Sources) -> list[str]:
    """What of MongoDB's settings would let others in."""
    problems = []
    if str(sources.raw("mongo", "tls")).lower() in _NO:
        where = sources.subject(("mongo", "tls"))
        problems.append(f"{where} is false; where env is prod MongoDB is reached over TLS only: leave it out.")
    for key in ("user", "password_file"):
        if not sources.raw("mongo", key):
            where = sources.subject(("mongo", key))
            problems.append(f"{where} is not set; where env is prod every client has a database user: name it.")
    return problems
