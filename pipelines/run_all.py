"""RunAll: every client that the caller may run."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable

import luigi

from auth.gate import authorize
from conf.client import client_ids
from conf.errors import AccessDenied, ConfigError
from pipelines.run_client import RunClient
from pipelines.telling import explain, tell


def share(clients: Iterable[str], index: int, of: int) -> list[str]:
    """The clients whose hash falls into one of ``of`` equal shares, numbered from 0."""
    return [client for client in clients if _hash(client) % of == index]


class RunAll(luigi.Task):
    """Runs every client that the caller may run, one after the other, with one Spark for all.

    Each client is a task of its own: one that fails keeps no other from being run, and the exit code says so.
    """

    index = luigi.IntParameter(default=0, description="which share of the clients, from 0")
    of = luigi.IntParameter(default=1, description="into how many shares the clients are divided")
    settled = False

    def requires(self) -> list[RunClient]:
        """A run of each client."""
        return self._runs

    def run(self) -> None:
        """Nothing is left to do once every client was run; AccessDenied where none may be."""
        if self._left_out and not self._runs:
            *_, reason = self._left_out.values()
            raise AccessDenied(f"None of the clients may be run. {reason}")
        self.settled = True

    def complete(self) -> bool:
        """Whether this run has found nothing left to do; the next run looks afresh."""
        return self.settled

    def on_failure(self, exception: BaseException) -> str:
        """What the scheduler page shows."""
        return explain(super().on_failure, exception)

    @functools.cached_property
    def _runs(self) -> list[RunClient]:
        if not 0 <= self.index < self.of:
            raise ConfigError(f"--index is {self.index}; shares are numbered from 0 to {self.of - 1}.")
        mine = share(client_ids(), self.index, self.of)
        runs = [RunClient(client=client) for client in mine if self._may_run(client)]  # type: ignore[no-untyped-call]
        if self._left_out:
            tell(f"Left out, for they may not be run by who asks: {', '.join(self._left_out)}")
        return runs

    @functools.cached_property
    def _left_out(self) -> dict[str, AccessDenied]:
        """Why a client is left out, by its id."""
        return {}

    def _may_run(self, client: str) -> bool:
        try:
            authorize(client, "run")
        except AccessDenied as error:
            self._left_out[client] = error
            return False
        return True


def _hash(client: str) -> int:
    return int.from_bytes(hashlib.sha256(client.encode()).digest()[:8], "big")
