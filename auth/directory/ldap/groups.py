"""The groups that a person is in, also by way of other groups: bounded in depth and number, loops harmless."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized

from auth.directory.ldap.line import Entry, Line, Scope
from auth.directory.ldap.names import canonical, escaped, is_below, rdn
from conf.errors import AccessDenied
from conf.problems import shown
from conf.sections import Ldap
from conf.sections.ldap import DN, USER

# A filter asks for so many groups at once.
_AT_ONCE = 50
_ANY = "(objectClass=*)"


def groups_of(line: Line, settings: Ldap, user: str, person: Entry) -> frozenset[str]:
    """Names of the person's groups, as grants.toml writes them.

    AccessDenied where the person is in more groups than ``ldap.max_groups``, or two groups have one name.
    """
    if settings.membership == "memberOf":
        found = _by_member_of(line, settings, person)
    else:
        found = _by_groups(line, settings, user, person)
    names: dict[str, str] = {}
    for group in found:
        name = rdn(group, settings.group_name)
        if name is not None:
            names[name] = group
    if settings.group_subtree:
        _refuse_namesakes(line, settings, names)
    return frozenset(names)


def _by_groups(line: Line, settings: Ldap, user: str, person: Entry) -> list[str]:
    """Asks the groups, level by level: those of the person, those that hold these, and so on."""
    seen: dict[object, str] = {}
    level = [settings.group_filter.replace(USER, escaped(user)).replace(DN, escaped(person.name))]
    for _ in range(settings.nested + 1):
        new = [name for question in level for name in _asked(line, settings, question) if _is_new(name, seen)]
        _refuse_too_many(settings, seen)
        # A filter that knows members by their log-in name alone (memberUid) knows no groups within groups.
        if not new or DN not in settings.group_filter:
            break
        level = list(_holding(settings, new))
    return list(seen.values())


def _holding(settings: Ldap, groups: Sequence[str]) -> Iterator[str]:
    """Filters for the groups that hold these groups; a group has no log-in name."""
    for start in range(0, len(groups), _AT_ONCE):
        some = groups[start : start + _AT_ONCE]
        parts = (settings.group_filter.replace(USER, escaped("\0")).replace(DN, escaped(name)) for name in some)
        yield f"(|{''.join(parts)})"


def _asked(line: Line, settings: Ldap, question: str) -> Iterator[str]:
    scope: Scope = "SUBTREE" if settings.group_subtree else "LEVEL"
    return (entry.name for entry in line.search(settings.group_base, question, scope))


def _by_member_of(line: Line, settings: Ldap, person: Entry) -> list[str]:
    """Reads memberOf of the person's entry, then of the groups' own. Groups elsewhere are passed over."""
    seen: dict[object, str] = {}
    level = list(_member_of(person))
    for depth in range(settings.nested + 1):
        new = [name for name in level if _counts(settings, name) and _is_new(name, seen)]
        _refuse_too_many(settings, seen)
        if not new or depth == settings.nested:
            break
        level = [name for group in new for entry in _read(line, group) for name in _member_of(entry)]
    return list(seen.values())


def _read(line: Line, group: str) -> list[Entry]:
    return line.search(group, _ANY, "BASE", ("memberOf",), most=1)


def _member_of(entry: Entry) -> Iterator[str]:
    for value in entry.values.get("memberof", ()):
        try:
            yield value.decode("utf-8")
        except UnicodeDecodeError:
            continue


def _counts(settings: Ldap, name: str) -> bool:
    return is_below(name, settings.group_base, settings.group_subtree)


def _is_new(name: str, seen: dict[object, str]) -> bool:
    """Whether the name was not met before; it has been now."""
    key = canonical(name) or name
    if key in seen:
        return False
    seen[key] = name
    return True


def _refuse_too_many(settings: Ldap, seen: Sized) -> None:
    if len(seen) > settings.max_groups:
        raise AccessDenied(
            f"The person is in more than {settings.max_groups} groups below {settings.group_base}.",
            "An operator narrows ldap.group_base or ldap.group_filter, or raises ldap.max_groups.",
        )


def _refuse_namesakes(line: Line, settings: Ldap, names: dict[str, str]) -> None:
    """At any depth two groups can have one name, and a grant could not say which it means."""
    for name, group in names.items():
        same = line.search(settings.group_base, f"({settings.group_name}={escaped(name)})", "SUBTREE", most=0)
        others = [
            one.name for one in same if canonical(one.name) != canonical(group) and _is_named(settings, one, name)
        ]
        if others:
            raise AccessDenied(
                f"Several groups are called {shown(name)}: {shown(group)} and {shown(others[0])}.",
                "An operator renames one, or sets ldap.group_base to where only one is.",
            )


def _is_named(settings: Ldap, entry: Entry, name: str) -> bool:
    found = rdn(entry.name, settings.group_name)
    return found is not None and found.casefold() == name.casefold()
