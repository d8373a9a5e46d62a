"""The commands. Their modules import what they work with only when they run, so that ``--help`` is quick."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Annotated, Any

import typer

from landfall.commands import (
    access,
    check,
    demo,
    digest,
    doctor,
    drop,
    images,
    init,
    install_module,
    lineage,
    logs,
    onboard,
    profile,
    query,
    replay,
    run_share,
    sample_web,
    sftp,
    spark,
    status,
    trace,
)

_START, _CLIENT, _DATA, _ACCESS = "Begin", "What a client sends", "What became of it", "Who may"

app = typer.Typer(
    name="landfall",
    help="Files from many clients, each exactly once a star schema that can be queried, proved and replayed.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
landing_server = typer.Typer(
    name="sftp", help="The SFTP server that clients reach the landing by.", no_args_is_help=True
)
spark_server = typer.Typer(
    name="spark", help="The Spark Connect server that stays up between runs.", no_args_is_help=True
)
pictures = typer.Typer(name="images", help="The pictures in a client's image store.", no_args_is_help=True)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"landfall {importlib.metadata.version('landfall')}")
        raise typer.Exit


@app.callback()
def _landfall(
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Files from many clients, each exactly once a star schema that can be queried, proved and replayed."""


def _add(group: typer.Typer, panel: str, name: str, command: Callable[..., Any], *examples: str) -> None:
    epilog = "\n\n".join(f"Example: {example}" for example in examples)
    group.command(name, epilog=epilog, rich_help_panel=panel)(command)


_add(app, _START, "demo", demo.demo, "landfall demo")
_add(app, _START, "init", init.init, "landfall init --home /srv/landfall")
_add(app, _START, "doctor", doctor.doctor, "landfall doctor")
_add(app, _START, "sample-web", sample_web.sample_web, "landfall sample-web --port 8200")
_add(
    app,
    _START,
    "sample-catalogue",
    sample_web.sample_catalogue,
    "landfall sample-catalogue --lines 200 --seed 7 --faults catalogue.txt",
)
_add(
    app,
    _CLIENT,
    "onboard",
    onboard.onboard,
    "landfall onboard --client acme --feed orders --sample orders.csv --operators acme-operators",
    "landfall onboard --client acme --feed photos --sources picsum.photos --add",
    "landfall onboard --list clients.csv",
)
_add(app, _CLIENT, "install-module", install_module.install_module, "landfall install-module acme acme_marts.py")
_add(app, _CLIENT, "check", check.check, "landfall check demo photos catalogue.txt")
_add(app, _CLIENT, "drop", drop.drop, "landfall drop demo photos catalogue.txt")
_add(
    app,
    _CLIENT,
    "run-share",
    run_share.run_share,
    "landfall run-share --index 0 --of 2 --scheduler http://127.0.0.1:8082",
)
_add(app, _CLIENT, "status", status.status, "landfall status --client demo --watch")
_add(
    app,
    _CLIENT,
    "replay",
    replay.replay,
    "landfall replay --client acme --feed orders",
    "landfall replay --client acme --feed orders --drop 3f2a91",
)
_add(app, _CLIENT, "logs", logs.logs, "landfall logs --client demo --level warning --follow")
_add(app, _DATA, "tables", query.tables, "landfall tables --client demo")
_add(
    app,
    _DATA,
    "query",
    query.query,
    'landfall query --client demo "SELECT outcome, count(*) FROM fact_image_request GROUP BY outcome"',
)
_add(app, _DATA, "profile", profile.profile, "landfall profile --client acme --feed orders")
_add(
    app,
    _DATA,
    "trace",
    trace.trace,
    "landfall trace --client demo --table dim_source --where \"host = '127.0.0.1'\"",
)
_add(app, _DATA, "lineage", lineage.lineage, "landfall lineage --client demo --svg lineage.svg")
_add(app, _DATA, "digest", digest.digest, "landfall digest --client demo --parts")
_add(
    app,
    _ACCESS,
    "explain-access",
    access.explain_access,
    "landfall explain-access --user demo-operator --client demo --action run",
)

_add(pictures, "", "list", images.list_images, "landfall images list --client demo --limit 20")
_add(pictures, "", "get", images.get, "landfall images get 9f86d08188… --client demo --output gray.jpg")
_add(pictures, "", "verify", images.verify, "landfall images verify --client demo")
_add(pictures, "", "rebuild", images.rebuild, "landfall images rebuild --client demo")
_add(
    landing_server,
    "",
    "config",
    sftp.config,
    "landfall sftp config | ssh root@sftp.example.org sh",
    "landfall sftp config --apply",
)
_add(spark_server, "", "start", spark.start, "landfall spark start")
_add(spark_server, "", "stop", spark.stop, "landfall spark stop")
_add(spark_server, "", "status", spark.status, "landfall spark status || landfall spark start")
_add(spark_server, "", "prepare", spark.prepare, "landfall spark prepare")
app.add_typer(spark_server, rich_help_panel=_START)
app.add_typer(landing_server, rich_help_panel=_START)
app.add_typer(pictures, rich_help_panel=_DATA)
