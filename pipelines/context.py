"""What the tasks of one process share: settings, the client's places, its logs."""

from __future__ import annotations

import functools
import json
import os
import secrets
import socket
from dataclasses import dataclass

from conf.client import ClientConfig, load_client
from conf.settings import Settings, load_settings
from spark_jobs.hadoop import serve
from spark_jobs.star.described import known_columns
from spark_jobs.transforms import names
from targets.clock import now
from targets.filesystem import FileSystem
from targets.journal import Journal
from targets.lake import client_layout, open_lake, prepare_client
from targets.landing import Landing
from targets.layout import ClientLayout
from targets.register import Drop, registered
from targets.runlog import RunLog


@dataclass(frozen=True)
class Context:
    """One client's places.

    Attributes:
        run: id of this process's run.
        fs, layout: the lake.
        log, journal: what happened.
    """

    settings: Settings
    run: str
    client: str
    fs: FileSystem
    layout: ClientLayout
    log: RunLog
    journal: Journal

    def config(self) -> ClientConfig:
        """The client's file as it is now."""
        return load_client(self.client, names(), known_columns)

    def landing(self) -> Landing:
        return Landing(self.settings.landing_root, self.config(), self.settings.landing)

    def drop(self, feed: str, drop: str) -> Drop:
        return registered(self.fs, self.layout, feed, drop)

    def holder(self) -> str:
        """What a lease says of its holder."""
        since = f"{now():%FT%TZ}"
        return json.dumps({"run": self.run, "pid": os.getpid(), "host": socket.gethostname(), "since": since})


@functools.cache
def run_id() -> str:
    """Id of this process's run: sorts by time."""
    return f"{now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


@functools.cache
def context(client: str) -> Context:
    """The places of a client whom the caller may reach: the gate is asked first."""
    settings = load_settings()
    logs = settings.log_root / client
    logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = RunLog(str(logs / f"{run_id()}.jsonl"), settings.log.level, {"run": run_id(), "client": client})
    journal = Journal(logs / "journal.jsonl")
    prepare_client(settings, client)
    serve(client)
    return Context(
        settings, run_id(), client, open_lake(settings, client), client_layout(settings, client), log, journal
    )
