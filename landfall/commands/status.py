"""``landfall status``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landfall.arguments import AnyClientOption, JsonOption

if TYPE_CHECKING:
    from auth.gate import Permit
    from landfall.attempts import StageStanding
    from landfall.standing import ClientStanding, DropStanding

_SECONDS_BETWEEN_LOOKS = 2.0
_LOOKS_BETWEEN_QUESTIONS = 30
_SHORT = 12
_STYLES = {
    "running": "cyan",
    "published": "green",
    "done": "green",
    "held": "yellow",
    "failed": "bold red",
    "broke off": "yellow",
}


def status(
    client: AnyClientOption = None,
    as_json: JsonOption = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every two seconds, until Ctrl-C.")] = False,
) -> None:
    """Show uploads, drops and stages, how far a run is, what is wrong and what to do."""
    from landfall.terminal import console

    looks = 0
    permits: list[Permit] = []
    while True:
        if looks % _LOOKS_BETWEEN_QUESTIONS == 0:
            permits = _permits(client)
        if watch and not as_json:
            console().clear()
        _look(permits, as_json)
        if not watch:
            return
        looks += 1
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _permits(client: str | None) -> list[Permit]:
    """For the client that is named, or for every client that the caller may look at; AccessDenied if there is none."""
    from auth.gate import authorize
    from conf.client import client_ids
    from conf.errors import AccessDenied, NotFound

    if client is not None:
        return [authorize(client, "status")]
    granted, denied = [], None
    for each in client_ids():
        try:
            granted.append(authorize(each, "status"))
        except AccessDenied as error:
            denied = error
    if granted:
        return granted
    raise denied or NotFound("There are no clients yet.", "Run landfall init, or write conf/clients/<client>.toml.")


def _look(permits: list[Permit], as_json: bool) -> None:
    from conf.errors import ConfigError, LandfallError
    from conf.settings import load_settings
    from landfall.standing import client_standing
    from landfall.terminal import show_json

    standings, faults = [], []
    for permit in permits:
        try:
            standings.append(client_standing(load_settings(), permit.client, permit.feeds))
        except LandfallError as error:
            faults.append(error)
    if as_json:
        show_json([standing.to_json() for standing in standings])
    else:
        for standing in standings:
            _show(standing)
    if faults:  # one client's broken file hides no other client
        raise ConfigError(*map(str, faults)) if len(faults) > 1 else faults[0]


def _show(standing: ClientStanding) -> None:
    from landfall.terminal import count, say, size

    say(standing.client, style="bold")
    _show_uploads(standing)
    _show_drops(standing)
    for drop in standing.drops:
        if drop.state != "published":
            _show_stages(drop)
    _show_workflows(standing)
    if standing.failed:
        say(f"The last run failed: {standing.failed}", _STYLES["failed"])
    if standing.waits:
        say(f"To go on: luigi --module pipelines RunClient --client {standing.client} --local-scheduler")
    say(f"{count(standing.published, 'drop')} published; {size(standing.free_bytes)} free on the disk", style="dim")
    say()


def _show_uploads(standing: ClientStanding) -> None:
    from landfall.terminal import said, say, show_table, size

    rows: list[list[Any]] = [
        [upload.feed or "(no feed)", upload.name, size(upload.bytes), upload.why or "Waits for the next run."]
        for upload in standing.uploads
    ]
    rows += [
        [claim.feed or "(no feed)", claim.name, size(claim.bytes), said(f"Refused: {claim.refused}", _STYLES["failed"])]
        for claim in standing.refused
    ]
    if rows:
        show_table(["feed", "upload", "size", "state"], rows)
        say()
    if standing.claiming:
        say(f"Uploads are being taken or answered by {_who(standing.claiming)}.")


def _show_drops(standing: ClientStanding) -> None:
    from landfall.terminal import said, say, show_table

    if not standing.drops:
        say("No drop yet.")
        return
    show_table(
        ["feed", "drop", "name", "received (UTC)", "state", "lines", "ok", "quarantined", "duplicate"],
        [
            [
                drop.feed,
                drop.drop[:_SHORT],
                drop.name,
                f"{drop.received:%F %T}",
                said(drop.says, _STYLES.get(drop.state, "")),
                *(_number(drop.counts, name) for name in ("lines", "ok", "quarantined", "duplicate")),
            ]
            for drop in standing.drops
        ],
        numbers=("lines", "ok", "quarantined", "duplicate"),
    )
    say()


def _show_workflows(standing: ClientStanding) -> None:
    from landfall.terminal import said, say, show_table

    if not standing.workflows:
        return
    rows = [
        [
            workflow.workflow,
            said(workflow.state, _STYLES.get(workflow.state, "dim")),
            f"{workflow.last:%F %T}" if workflow.last else "",
            ", ".join(action.action for action in workflow.actions if action.state in ("failed", "broke off")),
        ]
        for workflow in standing.workflows
    ]
    show_table(["workflow", "state", "last run (UTC)", "not done"], rows)
    for workflow in standing.workflows:
        for action in workflow.actions:
            if action.error:
                say(f"{workflow.workflow}, {action.action}: {action.error}", _STYLES["failed"])
    say()


def _number(counts: Mapping[str, int], name: str) -> str:
    return f"{counts[name]:,}" if name in counts else ""


def _show_stages(drop: DropStanding) -> None:
    from landfall.terminal import said, say, show_table

    rows = [
        [
            stage.stage,
            said(stage.state, _STYLES.get(stage.state, "dim")),
            "" if stage.seconds is None else f"{stage.seconds:,.1f} s",
            _what(stage),
        ]
        for stage in _begun(drop)
    ]
    show_table([f"{drop.feed} {drop.drop[:_SHORT]}", "", "time", ""], rows, numbers=["time"])
    if drop.wrong:
        say(drop.wrong, _STYLES[drop.state])
    say()


def _begun(drop: DropStanding) -> list[StageStanding]:
    """The stages that were ever begun, and the one whose turn it is."""
    waiting = [stage for stage in drop.stages if stage.state == "waiting"]
    return [stage for stage in drop.stages if stage not in waiting[1:]]


def _what(stage: StageStanding) -> str:
    """What a stage has done, is doing, or who does it."""
    from landfall.terminal import count
    from targets.counts import say_counts

    if stage.holder is None:
        return say_counts(stage.counts)
    done = ""
    if stage.progress is not None:
        left = "" if stage.progress.left is None else f", {stage.progress.left:,} left"
        done = f"{count(stage.progress.done, 'picture')} done, {stage.progress.failed:,} failed{left}; "
    return f"{done}{_who(stage.holder)}"


def _who(holder: Mapping[str, Any]) -> str:
    return f"run {holder.get('run', '?')} (process {holder.get('pid', '?')} on {holder.get('host', '?')})"
