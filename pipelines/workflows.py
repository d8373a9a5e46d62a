"""The workflows that a client has, and whose data they read."""

from __future__ import annotations

from auth.gate import Permit
from conf.actions import Writing, reads
from conf.client import ClientConfig
from conf.errors import AccessDenied, NotFound
from conf.problems import nearest, shown
from conf.workflow_order import order
from conf.workflows import Workflow
from spark_jobs.star.daily import built_in
from spark_jobs.star.described import feed_tables


def workflows(config: ClientConfig) -> tuple[Workflow, ...]:
    """What is built in, then the client's own, each after those whose tables it reads."""
    return (*built_in(config.feeds), *order(config.client, config.workflow))


def find(config: ClientConfig, name: str) -> Workflow:
    """The client's workflow of this name."""
    names = [workflow.name for workflow in config.workflow]
    for workflow in workflows(config):
        if workflow.name == name:
            return workflow
    there = f"Its workflows are {', '.join(names)}{nearest(name, names)}" if names else "It has none."
    raise NotFound(f"Client {config.client} has no workflow {shown(name)}.", there)


def whose(config: ClientConfig) -> dict[str, frozenset[str]]:
    """Whose data each table is made of: of which feeds."""
    found: dict[str, frozenset[str]] = {}
    for feed, its in config.feeds.items():
        for table in feed_tables(feed, its):
            found[table] = found.get(table, frozenset()) | {feed}
    for workflow in workflows(config):
        for _, action in workflow.actions():
            if isinstance(action, Writing) and action.into not in found:
                read = reads(action, config.client) - {action.into}
                found[action.into] = frozenset().union(*(found.get(table, frozenset()) for table in read))
    return found


def refuse_beyond(permit: Permit, feeds: frozenset[str], what: str) -> None:
    """AccessDenied unless whoever asks may run all these feeds."""
    beyond = sorted(feeds - permit.feeds) if permit.feeds is not None else []
    if beyond:
        raise AccessDenied(
            f"The {what} reads data of the feeds {', '.join(beyond)}, which {permit.user} may not run.",
            "Ask an admin of the client for a grant (grants.toml).",
        )
