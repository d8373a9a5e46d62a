"""The directory servers that ``auth.url`` names, and how people and groups are found there."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from conf.sections.kinds import Count, Directory, Number, Seconds, Section, shaped

USER, DN = "{user}", "{dn}"
_PLACEHOLDER = re.compile(r"\{[^}]*\}?")

Attribute = Annotated[str, shaped(r"[A-Za-z][A-Za-z0-9-]{0,63}", "the name of an attribute, such as uid")]


def _name(text: str) -> str:
    if text and ("=" not in text or not text.isprintable()):
        raise ValueError("it must be a distinguished name, such as ou=people,dc=example,dc=org")
    return text


def _filter(*known: str) -> AfterValidator:
    """An LDAP filter (RFC 4515) with these placeholders and no others, and at least one of them."""

    def check(text: str) -> str:
        if not (text.startswith("(") and text.endswith(")") and text.isprintable()) or not _balanced(text):
            raise ValueError(f"it must be one filter in parentheses, such as (uid={USER})")
        found = set(_PLACEHOLDER.findall(text))
        if not found or found - set(known):
            raise ValueError(f"it must hold {' or '.join(known)}, and nothing else in braces")
        return text

    return AfterValidator(check)


def _balanced(text: str) -> bool:
    """Whether parentheses pair up, and the first one ends with the last."""
    depth = 0
    for place, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth <= 0 and place < len(text) - 1:
            return False
    return depth == 0


DistinguishedName = Annotated[str, AfterValidator(_name)]


class Ldap(Section):
    """How people and groups are found on the servers that ``auth.url`` names (docs/ldap.md)."""

    start_tls: bool = Field(
        True, description="whether ldap:// is encrypted by StartTLS before anything is said; only dev may do without"
    )
    ca_file: Directory = Field(
        "",
        description="certificates (PEM) that the servers' must be signed by; empty means those that the system trusts",
    )
    bind_dn: DistinguishedName = Field(
        "", description="the service account that looks people and groups up; empty: anonymous, unless user_dn is set"
    )
    bind_password_file: Directory = Field(
        "", description="the file (mode 0600) that holds the service account's password"
    )
    user_dn: DistinguishedName = Field(
        "",
        description="without a service account: a person's name in the directory, such as "
        "uid={user},ou=people,dc=example,dc=org; what is asked is then asked as that person",
    )
    user_base: DistinguishedName = Field("", description="where people are, at any depth")
    user_name: Attribute = Field(
        "uid", description="the attribute that holds the name a person logs in with, as it is written"
    )
    user_filter: Annotated[str, _filter(USER)] = Field(
        "(uid={user})", description="which entry is a person's; it must hold (<user_name>={user})"
    )
    membership: Literal["groups", "memberOf"] = Field(
        "groups", description="who knows the members: groups (see group_filter), or people's entries by memberOf"
    )
    group_base: DistinguishedName = Field("", description="where groups are; a group elsewhere counts for nothing")
    group_subtree: bool = Field(
        False, description="whether groups at any depth below group_base count, not those right below it alone"
    )
    group_name: Attribute = Field("cn", description="the attribute that names a group, the first part of its own name")
    group_filter: Annotated[str, _filter(DN, USER)] = Field(
        "(member={dn})",
        description="the groups of a member: (member={dn}), (uniqueMember={dn}), (memberUid={user}) …",
    )
    nested: Annotated[int, Number, Field(ge=0, le=20)] = Field(
        5, description="how many levels of groups within groups are followed; 0: none"
    )
    max_groups: Count = Field(1000, description="a person in more groups is refused")
    page_size: Annotated[int, Number, Field(ge=1, le=1000)] = Field(200, description="entries asked for at once")
    connect_seconds: Seconds = Field(5, description="time for a connection to one server")
    answer_seconds: Seconds = Field(10, description="time for all that one server answers to one question")

    @field_validator("user_filter")
    @classmethod
    def _asks_for_the_name(cls, value: str, info: ValidationInfo) -> str:
        part = f"({info.data.get('user_name')}={USER})"
        if "user_name" in info.data and part not in value:
            raise ValueError(f"it must hold {part}, which ldap.user_name says")
        return value

    @field_validator("user_dn")
    @classmethod
    def _names_one_person(cls, value: str, info: ValidationInfo) -> str:
        if value and _PLACEHOLDER.findall(value) != [USER]:
            raise ValueError(f"it must hold {USER} once, and nothing else in braces")
        if value and info.data.get("bind_dn"):
            raise ValueError("it is for directories without a service account: leave out this or ldap.bind_dn")
        return value

    @field_validator("bind_password_file")
    @classmethod
    def _belongs_to_an_account(cls, value: str, info: ValidationInfo) -> str:
        if bool(value) != bool(info.data.get("bind_dn", value)):
            raise ValueError("ldap.bind_dn and ldap.bind_password_file must be given together, or neither")
        return value
