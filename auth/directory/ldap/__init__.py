"""The directory on LDAP servers: OpenLDAP, Active Directory and others, through ldap3 (docs/ldap.md)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from auth.directory import Person, wrong
from auth.directory.ldap.answers import SUCCESS, denial
from auth.directory.ldap.faults import Unreachable
from auth.directory.ldap.groups import groups_of
from auth.directory.ldap.line import Entry, Line, opened
from auth.directory.ldap.names import escaped
from auth.private import read_private
from conf.errors import AccessDenied
from conf.problems import shown
from conf.sections import Ldap
from conf.sections.ldap import USER

_MOST_PASSWORD_BYTES = 4096
_MOST_CHARACTERS = 256
_LOCKED = "pwdAccountLockedTime"
_ANY = "(objectClass=*)"
_SET_UP = "An operator sees to the [ldap] settings (docs/ldap.md)."

T = TypeVar("T")


class LdapDirectory:
    """People on directory servers: the first that serves is asked.

    Args:
        urls: of the servers, in the order in which they are tried.
        settings: how people and groups are found there.
        plain: whether ``ldap://`` may go unencrypted where ``ldap.start_tls`` is false.
    """

    def __init__(self, urls: tuple[str, ...], settings: Ldap, plain: bool = False) -> None:
        self._urls = urls
        self._settings = settings
        self._plain = plain

    def __repr__(self) -> str:
        return f"LdapDirectory({', '.join(self._urls)})"

    def authenticate(self, user: str, password: str) -> Person:
        """See ``Directory``."""
        if not password.strip():
            # RFC 4513 5.1.2: to a server, a name with an empty password is nobody, and welcome.
            raise AccessDenied("The password is blank.", "See that LANDFALL_PASSWORD_FILE holds the password.")
        if not _can_be_a_name(user):
            raise wrong("The user name is none that a directory could hold.")
        return self._from_one_server(lambda url: self._proved(url, user, password))

    def find(self, user: str) -> Person | None:
        """See ``Directory``. AccessDenied too where there is no service account and people are asked as themselves."""
        if self._settings.user_dn:
            raise AccessDenied("Without a service account, nobody but themselves can be asked about.", _SET_UP)
        if not _can_be_a_name(user):
            return None
        return self._from_one_server(lambda url: self._found(url, user))

    def look(self) -> None:
        """Does what precedes every question: reaches a server, logs the service account in, sees people and groups."""
        self._from_one_server(self._looked_at)

    def _from_one_server(self, ask: Callable[[str], T]) -> T:
        """What the first server answers that serves; what it denies, no other is asked."""
        faults: dict[str, Unreachable] = {}
        for url in self._urls:
            try:
                answer = ask(url)
            except Unreachable as fault:
                faults[url] = fault
            else:
                # Who answered is asked first the next time: the others may cost a time-out.
                self._urls = (url, *(other for other in self._urls if other != url))
                return answer
        raise _unreachable(faults)

    def _proved(self, url: str, user: str, password: str) -> Person:
        if self._settings.user_dn:
            return self._proved_by_themselves(url, user, password)
        with opened(url, self._settings, self._plain) as service:
            self._introduce(service)
            person = self._entry(service, user)
            # A user who is not there costs the same questions as one who is.
            name = (
                person.name
                if person
                else f"{self._settings.user_name}={secrets.token_hex(16)},{self._settings.user_base}"
            )
            with opened(url, self._settings, self._plain) as line:
                denied = self._bind(line, name, user, password, lambda: self._is_locked(service, name))
            if person is None:
                raise wrong(f"There is no user {shown(user)} in the directory.")
            if denied is not None:
                raise denied
            return Person(user, groups_of(service, self._settings, user, person))

    def _proved_by_themselves(self, url: str, user: str, password: str) -> Person:
        """Without a service account: the name is made from the settings, and everything asked as that person."""
        name = self._settings.user_dn.replace(USER, escaped(user))
        with opened(url, self._settings, self._plain) as line:
            denied = self._bind(line, name, user, password, lambda: False)
            if denied is not None:
                raise denied
            person = self._only(line.search(name, self._question(user), "BASE", self._wanted, most=2), user)
            if person is None:
                raise wrong(f"{shown(user)} may log in, but their own entry is none that ldap.user_filter finds.")
            return Person(user, groups_of(line, self._settings, user, person))

    def _found(self, url: str, user: str) -> Person | None:
        with opened(url, self._settings, self._plain) as service:
            self._introduce(service)
            person = self._entry(service, user)
            return Person(user, groups_of(service, self._settings, user, person)) if person else None

    def _looked_at(self, url: str) -> None:
        with opened(url, self._settings, self._plain) as service:
            # Where everybody asks as themselves, nobody is there to ask for us.
            if not self._settings.user_dn:
                self._introduce(service)
                for base in (self._settings.user_base, self._settings.group_base):
                    service.search(base, _ANY, "BASE", most=1)

    def _introduce(self, service: Line) -> None:
        """Logs the service account in, whose password is the operator's affair."""
        name = self._settings.bind_dn
        if not name:
            return
        answer = service.bind(name, self._service_password())
        if answer is None or answer["result"] != SUCCESS:
            said = shown(answer["description"]) if answer else "its password is none"
            raise AccessDenied(
                f"The directory does not accept the service account {shown(name)} or its password ({said}).",
                "This is the set-up's fault, not yours. An operator sees to ldap.bind_dn and ldap.bind_password_file.",
            )

    def _service_password(self) -> str:
        file = self._settings.bind_password_file
        try:
            text = read_private(Path(file), _MOST_PASSWORD_BYTES).decode("utf-8")
        except FileNotFoundError:
            raise AccessDenied(f"There is no {file}, which ldap.bind_password_file names.", _SET_UP) from None
        except UnicodeDecodeError:
            raise AccessDenied(f"{file}, which ldap.bind_password_file names, is not UTF-8.", _SET_UP) from None
        password = text.removesuffix("\n").removesuffix("\r")
        if not password.strip():
            raise AccessDenied(f"{file}, which ldap.bind_password_file names, holds a blank password.", _SET_UP)
        return password

    def _bind(self, line: Line, name: str, user: str, password: str, locked: Callable[[], bool]) -> AccessDenied | None:
        """Has the person prove themselves; returns why they do not."""
        answer = line.bind(name, password)
        if answer is None:
            return wrong(f"The password of {shown(user)} is none that a directory could hold (RFC 4013).")
        return denial(user, answer, locked)

    @property
    def _wanted(self) -> tuple[str, ...]:
        more = ("memberOf",) if self._settings.membership == "memberOf" else ()
        return (self._settings.user_name, *more)

    def _question(self, user: str) -> str:
        return self._settings.user_filter.replace(USER, escaped(user))

    def _entry(self, service: Line, user: str) -> Entry | None:
        found = service.search(self._settings.user_base, self._question(user), "SUBTREE", self._wanted, most=2)
        return self._only(found, user)

    def _only(self, found: list[Entry], user: str) -> Entry | None:
        """The one entry of the user; None if there is none, or its name is written otherwise (``ADA``, ``ada␣``)."""
        if len(found) > 1:
            raise AccessDenied(
                f"The directory holds several entries for {shown(user)}, so nobody can tell who asks.",
                "Ask whoever keeps the directory to leave one, or an operator to narrow ldap.user_base.",
            )
        names = found[0].values.get(self._settings.user_name.lower(), ()) if found else ()
        return found[0] if user.encode() in names else None

    def _is_locked(self, service: Line, name: str) -> bool:
        """Whether an entry says so: not every server tells it when it refuses."""
        try:
            found = service.search(name, _ANY, "BASE", (_LOCKED,), most=1)
        except AccessDenied:
            return False
        return any(entry.values.get(_LOCKED.lower()) for entry in found)


def _can_be_a_name(user: str) -> bool:
    return 0 < len(user) <= _MOST_CHARACTERS and user.isprintable() and user == user.strip()


def _unreachable(faults: dict[str, Unreachable]) -> AccessDenied:
    told = "; ".join(f"{url}: {fault.why}" for url, fault in faults.items())
    if all(fault.certificate for fault in faults.values()):
        return AccessDenied(
            f"The directory's certificate is not to be trusted ({told}). No password was sent.",
            "An operator sees to ldap.ca_file, and that auth.url has the name that is in the certificate.",
        )
    more = " and ldap.ca_file" if any(fault.certificate for fault in faults.values()) else ""
    return AccessDenied(
        f"The directory cannot be reached ({told}).",
        f"Try again in a while, or have an operator look at the servers{more}.",
    )
