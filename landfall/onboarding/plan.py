"""What is to be made of clients: their files as they will be, and every mistake before anything is written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from auth.gate import authorize
from conf.client import ClientConfig
from conf.errors import AccessDenied, ConfigError
from conf.feeds import feed_config
from conf.files import conf_directory
from conf.grants import ALL, Grant, load_grants
from conf.names import is_name, name_rule
from conf.problems import dotted, sentences, shown
from landfall.onboarding import toml
from spark_jobs.transforms import names


@dataclass(frozen=True)
class Wanted:
    """One feed that a client shall have.

    Attributes:
        tables: the feed as tables of the client's file.
        operators: a group that shall run the client; empty: none.
        keys: public keys that open the client's account by SFTP.
        where: what a mistake is told to be of, such as a line of a list; empty: of the command.
    """

    client: str
    feed: str
    tables: tuple[Sequence[str], ...]
    operators: str = ""
    keys: tuple[str, ...] = ()
    where: str = ""


@dataclass
class ClientPlan:
    """One client as it will be.

    Attributes:
        file: where its configuration lies.
        before: what the file says now; None: there is none.
        text: what it shall say.
        config: that, checked.
        feeds: those that are new.
        groups: that shall have a grant.
    """

    client: str
    file: Path
    before: bytes | None
    text: str
    config: ClientConfig
    feeds: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


def allow(wanted: Iterable[Wanted]) -> None:
    """Asks the gate for every client, before anything of theirs is looked at; AccessDenied for any that is not allowed.

    ConfigError for a name that is none, so that a mistake is not taken for a denial.
    """
    wanted = list(wanted)
    problems = [
        f"{_of(one)}{what} {shown(name)} is no name; {name_rule()}."
        for one in wanted
        for what, name in (("client", one.client), ("feed", one.feed))
        if not is_name(name)
    ]
    if problems:
        raise ConfigError(*problems)
    denied: dict[str, AccessDenied] = {}
    asked = {one.client: ["onboard"] for one in wanted}
    for one in wanted:
        if one.operators and "grant" not in asked[one.client]:
            asked[one.client].append("grant")
    for client, actions in asked.items():
        for action in actions:
            try:
                authorize(client, action)
            except AccessDenied as error:
                denied[client] = error
    if denied:
        first = next(iter(denied.values()))
        raise AccessDenied("\n".join(str(error.what) for error in denied.values()), first.fix)


def plan(wanted: Sequence[Wanted], add: bool) -> list[ClientPlan]:
    """Every client as it will be.

    Args:
        add: whether feeds may be added to the files of clients that are there.

    Raises:
        ConfigError: all that is wrong, at once. Nothing is written yet.
    """
    by_client: dict[str, list[Wanted]] = {}
    for one in wanted:
        by_client.setdefault(one.client, []).append(one)
    plans: list[ClientPlan] = []
    problems: list[str] = []
    for client, its in by_client.items():
        try:
            plans.append(_planned(client, its, add))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(*problems)
    return plans


def missing_grants(plans: Iterable[ClientPlan]) -> list[Grant]:
    """The grants that the plans ask for and that are not there yet."""
    there = {(grant.group, grant.client) for grant in load_grants() if grant.role != "viewer" and grant.all_feeds}
    return [
        Grant(group=group, role="operator", client=plan.client, feeds=(ALL,))
        for plan in plans
        for group in plan.groups
        if not {(group, plan.client), (group, ALL)} & there
    ]


def _planned(client: str, its: Sequence[Wanted], add: bool) -> ClientPlan:
    file = conf_directory() / "clients" / f"{client}.toml"
    try:
        before = file.read_bytes()
    except FileNotFoundError:
        before = None
    problems = _twice(its)
    fresh = toml.text([_head(client, its), *(table for one in its for table in map(list, one.tables))])
    feeds = [one.feed for one in its]
    text = fresh
    if before is not None and before.decode("utf-8", "replace") != fresh:
        feeds, more = _not_there(file, its, add)
        problems += more
        added = toml.text(list(table) for one in its if one.feed in feeds for table in one.tables)
        text = (
            f"{before.decode('utf-8', 'replace').rstrip()}\n\n{added}" if feeds else before.decode("utf-8", "replace")
        )
    elif before is not None:
        feeds = []
    if problems:
        raise ConfigError(*problems)
    config = _checked(client, file, text, its)
    groups = list(dict.fromkeys(one.operators for one in its if one.operators))
    return ClientPlan(client, file, before, text, config, feeds, groups)


def _head(client: str, its: Sequence[Wanted]) -> list[str]:
    head = toml.table("", {"client": client})
    keys = [key for one in its for key in one.keys]
    return [*head, "", *toml.table("[sftp]", {"keys": keys})] if keys else head


def _twice(its: Sequence[Wanted]) -> list[str]:
    feeds = [one.feed for one in its]
    return [
        f"{_of(one)}feed {one.feed} of client {one.client} is named twice; each is made once."
        for at, one in enumerate(its)
        if one.feed in feeds[:at]
    ]


def _not_there(file: Path, its: Sequence[Wanted], add: bool) -> tuple[list[str], list[str]]:
    """The feeds that the client's file does not have yet, and what is wrong with asking for them."""
    there: Any = {}
    try:
        there = tomllib.loads(file.read_text(encoding="utf-8")).get("feeds", {})
    except (ValueError, OSError) as error:
        return [], [f"{file} is there and cannot be read: {error}. Mend it first."]
    problems = []
    for one in its:
        if one.feed in there and _same(one, there[one.feed]):
            continue
        if one.feed in there:
            problems.append(
                f"{_of(one)}client {one.client} has a feed {one.feed} already, which says something else: {file}. "
                "It is not replaced; edit the file, or take another name."
            )
        elif not add:
            problems.append(
                f"{_of(one)}there is a client {one.client} already: {file}. To give it one more feed: --add."
            )
    return [one.feed for one in its if one.feed not in there], problems


def _same(one: Wanted, there: Any) -> bool:
    """Whether a feed that is there is the one that is wanted."""
    try:
        asked = tomllib.loads(toml.text(map(list, one.tables)))["feeds"][one.feed]
        return feed_config(asked) == feed_config(there)
    except ValueError:
        return False


def _checked(client: str, file: Path, text: str, its: Sequence[Wanted]) -> ClientConfig:
    where = next((_of(one) for one in its if one.where), "")
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}{file} would be no TOML: {error}. Add the feed by hand.") from None
    try:
        return ClientConfig.model_validate(content, context={"client": client, "transforms": names()})
    except ValidationError as error:
        raise ConfigError(*sentences(error, ClientConfig, lambda loc: f"{where}{client}: {dotted(loc)}")) from None


def _of(one: Wanted) -> str:
    return f"{one.where}: " if one.where else ""
