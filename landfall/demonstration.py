"""The README's steps by hand, in one: what ``landfall demo`` does."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from conf.errors import ConfigError, LandfallError
from conf.rules import RULES
from conf.settings import load_settings
from landfall import query
from landfall.history import ATTEMPT_FAILED, ATTEMPT_STARTED, Event, Filter, follow
from landfall.home import Home, make_home
from landfall.processes import end, luigi_command
from landfall.sample_web import SampleWeb, catalogue
from landfall.terminal import say, show_table
from targets.landing.layout import LandingLayout

CLIENT, FEED = "demo", "photos"
PORT = 8200
LINES = 200
_SEED = 1
# One line of each, and two that stand there twice.
_FAULTS = ("encoding", "scheme", "host", "no_size", "404", "damaged", "truncated", "html", "empty", "wrongsize")
_TABLES = {
    "What became of the lines": """
        SELECT outcome, rule, count(*) AS lines, any_value(message) AS for_instance
        FROM fact_image_request GROUP BY outcome, rule ORDER BY lines DESC, rule""",
    "Day by day": """
        SELECT date, sum(requests) AS requests, sum(ok) AS ok, sum(quarantined) AS quarantined,
               sum(duplicate) AS duplicate, sum(bytes_in) AS bytes_in, sum(bytes_out) AS bytes_out
        FROM agg_images_daily JOIN dim_date USING (date_key) GROUP BY date ORDER BY date""",
    "The largest pictures": """
        SELECT left(image_id, 12) AS image, width, height, format, original_bytes AS bytes_in, bytes AS bytes_out
        FROM dim_image ORDER BY width * height DESC, image_id LIMIT 5""",
}


def prepare() -> Home:
    """State, and this process as the demo's operator."""
    home = make_home()
    if home.environment is None:
        raise ConfigError("The demo is for dev and test only. Leave LANDFALL_ENV out, or set it to dev.")
    for line in home.environment.read_text().splitlines():
        name, _, value = line.partition("=")
        os.environ[name] = shlex.split(value)[0]
    load_settings.cache_clear()
    return home


class Catalogue(NamedTuple):
    """The demo's catalogue, and how many of its lines are meant to have each outcome."""

    file: Path
    meant: Mapping[str, int]


def write_catalogue(home: Path) -> Catalogue:
    """The demo's catalogue, always the same."""
    file = home / "demo" / "catalogue.txt"
    file.parent.mkdir(mode=0o700, exist_ok=True)
    faults = {**dict.fromkeys(_FAULTS, 1 / LINES), "duplicate": 2 / LINES}
    made = catalogue(f"http://127.0.0.1:{PORT}", LINES, _SEED, faults)
    file.write_bytes(b"".join(line.content + b"\n" for line in made))
    return Catalogue(file, Counter(RULES[line.rule].outcome for line in made))


@contextmanager
def sample_web() -> Iterator[SampleWeb]:
    """The sample web in a process of its own, on the port that the demo's client file lists."""
    try:
        socket.create_server(("127.0.0.1", PORT)).close()
    except OSError as error:
        raise ConfigError(
            f"The demo's pictures cannot be served on 127.0.0.1:{PORT}: something else listens there. "
            "Stop it (`landfall sample-web` in another terminal, for one) and run the demo again."
        ) from error
    with SampleWeb(process=True, port=PORT) as web:
        yield web


def run_client(home: Home) -> None:
    """Runs the client by Luigi, as a person would, and says how far it is.

    LandfallError if it does not end well.
    """
    output = home.path / "demo" / "luigi.log"
    logs = load_settings().log_root / CLIENT
    began = time.monotonic()
    with output.open("wb") as file:
        process = subprocess.Popen(
            luigi_command(CLIENT),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        for event in follow(logs, Filter(level="info"), lambda: process.poll() is None, last=0):
            _show_event(event, time.monotonic() - began)
    finally:
        end(process)
    if process.returncode:
        raise LandfallError(
            f"The run did not end well (luigi ended with {process.returncode}).",
            f"`landfall status` says what is wrong; all that luigi said is in {output}.",
        )


def _show_event(event: Event, seconds: float) -> None:
    """What a stage says of itself, and why an attempt failed; the figures of its workers are left to the run log."""
    stage = event.context.get("stage")
    if event.event == ATTEMPT_FAILED:
        say(f"  {seconds:5.1f} s  {stage:<9}  {event.fields.get('error')}", style="red")
    elif stage and not event.fields and event.event != ATTEMPT_STARTED:
        say(f"  {seconds:5.1f} s  {stage:<9}  {event.event}")


def receipts() -> set[Path]:
    """The receipts that lie in the demo's outbox."""
    return set(LandingLayout(load_settings().landing_root, CLIENT).outbox(FEED).glob("*.receipt.json"))


def show_receipt(file: Path, meant: Mapping[str, int]) -> None:
    """A receipt as a small table; LandfallError if it does not say what the catalogue was made for."""
    receipt: dict[str, Any] = json.loads(file.read_text())
    say(f"{receipt['status']}: {receipt['summary']}", style="green" if "counts" in receipt else "red")
    counts: Mapping[str, int] = receipt.get("counts", {})
    show_table(list(counts), [[f"{value:,}" for value in counts.values()]], list(counts))
    say(f"The receipt is {file}", style="dim")
    if receipt.get("rejects"):
        say(f"The rejects are {file.with_name(receipt['rejects'])}", style="dim")
    if any(counts.get(outcome) != lines for outcome, lines in meant.items()):
        said = ", ".join(f"{lines} {outcome}" for outcome, lines in meant.items())
        raise LandfallError(
            f"The receipt is not what the catalogue was made for: {said}.", "`landfall logs` tells why."
        )


def show_star() -> None:
    """Three tables of the star."""
    for title, sql in _TABLES.items():
        say()
        say(title, style="bold")
        query.render(query.query(CLIENT, sql), "table")
