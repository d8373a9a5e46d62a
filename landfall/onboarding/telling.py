"""What a person is told of clients that are made: what was proposed and why, what was made, what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from conf.feeds import RecordsFeed
from conf.files import conf_directory
from conf.grants import Grant
from conf.settings import Settings
from landfall.onboarding.plan import ClientPlan
from landfall.onboarding.proposal import Evidence, Proposal
from landfall.terminal import count, safe, said, say, show_table

_MOST_CLIENTS = 20


def show_proposal(found: Proposal) -> None:
    """Every proposal, with how many rows of the sample it would reject."""
    show_table(
        ["column", "proposal", "would reject", "for example", "look at"],
        [[one.rule.column, one.rule.what, _rejected(one), _examples(one), one.rule.remark] for one in found.evidence],
        ["would reject"],
    )
    rows = count(found.rows, "row") + ("" if found.whole else ", which is not all of the file")
    faults = "; ".join(f"{number:,} of them {rule}" for rule, number in sorted(found.faults.items()))
    say(
        f"The sample has {rows}: {found.rows - found.quarantined - found.duplicate:,} would be accepted, "
        f"{found.quarantined:,} quarantined" + (f" ({faults})" if faults else "") + f", {found.duplicate:,} duplicate."
    )


def show_texts(plans: Sequence[ClientPlan], grants: Sequence[Grant]) -> None:
    """What would be written."""
    for plan in plans:
        print(f"# {plan.file}")
        print(safe(plan.text, keep="\n\t"))
    for grant in grants:
        print(f"# {conf_directory() / 'grants.toml'}: {grant}")


def say_made(
    settings: Settings, plans: Sequence[ClientPlan], grants: Sequence[Grant], unready: Mapping[str, str]
) -> None:
    """What was made, and what comes next.

    Args:
        unready: of each client whose image store is not ready, why.
    """
    for plan in plans[:_MOST_CLIENTS]:
        say(_made(plan))
    if len(plans) > _MOST_CLIENTS:
        say(f"… and {count(len(plans) - _MOST_CLIENTS, 'client')} more.")
    say(f"Landing: {settings.landing_root}/<client>/incoming/<feed>; lake: {settings.lake_root}/clients/<client>")
    for grant in grants[:_MOST_CLIENTS]:
        say(f"Granted: {grant}.")
    say("What comes next:", style="bold")
    for step in _next(settings, plans, unready):
        say(f"  {step}")


def _made(plan: ClientPlan) -> str:
    if not plan.feeds:
        return f"Client {plan.client} is as asked already: {plan.file}"
    feeds = f"feed{'s' if len(plan.feeds) > 1 else ''} {', '.join(plan.feeds)}"
    if plan.before is None:
        return f"Client {plan.client} made, with {feeds}: {plan.file}"
    return f"Client {plan.client} has the new {feeds}: {plan.file}"


def _next(settings: Settings, plans: Sequence[ClientPlan], unready: Mapping[str, str]) -> Iterator[str]:
    first = plans[0].client if len(plans) == 1 else "<client>"
    if any(not plan.config.sftp.keys for plan in plans):
        yield f'Its public key, for SFTP: [sftp] keys = ["ssh-ed25519 …"] in {conf_directory()}/clients/{first}.toml'
    yield "Accounts and directories for SFTP, as root: landfall sftp config --apply (docs/sftp.md)"
    if not all(plan.groups for plan in plans):
        yield f"Who may run it: a grant in {conf_directory()}/grants.toml, or --operators GROUP"
    if settings.images.url.startswith("mongodb") and settings.mongo.user:
        yield "Its database user and password file: docs/mongodb.md"
    for client, why in unready.items():
        yield f"The image store of {client} is not ready: {why}"
    if any(isinstance(feed, RecordsFeed) for plan in plans for feed in plan.config.feeds.values()):
        yield "Look through what was proposed; a sample shows what was, not what is meant."
    yield f"A first file: landfall drop {first} {plans[0].feeds[0] if plans[0].feeds else '<feed>'} FILE"
    yield f"Run it: luigi --module pipelines RunClient --client {first} --local-scheduler"


def _rejected(one: Evidence) -> object:
    return said(f"{one.rejected:,}", "yellow" if one.rejected else "")


def _examples(one: Evidence) -> str:
    return ", ".join(repr(text) if text else "nothing" for text in one.examples)[:80]
