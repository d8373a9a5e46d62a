"""Claiming: an upload is taken out of the client's reach, then looked at, copied and hashed there.

A kill between two steps is mended by whoever comes next, from what the claim's directory holds (see
``targets.landing.claim``). The caller holds the client's lease.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conf.client import ClientConfig
from conf.errors import StorageError, UploadRefused
from conf.settings import Landing as Limits
from targets import archive
from targets.clock import now
from targets.faults import faults
from targets.landing.claim import Claim, places_in, read_claim
from targets.landing.held import NO_DIRECTORY, held, sync
from targets.landing.incoming import SIDECAR, Found, Mark
from targets.landing.intake import copy_in, require_file
from targets.landing.layout import CLAIM, DATA, FILE, REFUSED, UPLOAD, LandingLayout, upload_id
from targets.local import LocalFileSystem
from targets.refusal import refusal
from targets.register import identity

_FS = LocalFileSystem()


@dataclass(frozen=True)
class Claiming:
    """Takes uploads."""

    layout: LandingLayout
    config: ClientConfig
    limits: Limits

    def take(self, found: Found) -> Claim | None:
        """Claims a file; None if the client took it away meanwhile."""
        claimed = now()
        place = self.layout.claim(found.feed, f"{upload_id(claimed)}-{secrets.token_hex(4)}")
        ticket = {
            "feed": found.feed,
            "name": found.label,
            "claimed": claimed.isoformat(),
            "sidecar": found.sidecar,
        }
        _FS.make_directory(str(place))
        _FS.create(str(place / UPLOAD), json.dumps(ticket).encode())
        with faults(found.directory):
            try:
                with held(self.layout.root, found.directory) as source:
                    os.rename(found.name, place / FILE, src_dir_fd=source)
                    sync(place)
                    os.fsync(source)
            except NO_DIRECTORY:
                _FS.remove(str(place))
                return None
        return self._decide(place)

    def left(self, feed: str) -> Iterator[Claim]:
        """The claims that earlier runs left, mended where those were killed."""
        for place in places_in(self.layout.claims_of(feed)):
            claim = self._mend(place)
            if claim:
                yield claim

    def _mend(self, place: Path) -> Claim | None:
        _FS.sweep(str(place))
        claim = read_claim(place)
        if claim:
            self._tidy(claim, place)
            return claim
        if _FS.exists(str(place / FILE)):
            return self._decide(place)
        _FS.remove(str(place))
        return None

    def _decide(self, place: Path) -> Claim:
        ticket = json.loads(_FS.read(str(place / UPLOAD)))
        self._take_sidecar(ticket)
        try:
            with faults(place):
                name, decision = CLAIM, self._take_in(place, ticket["feed"])
        except UploadRefused as why:
            size = (place / FILE).lstat().st_size
            name, decision = REFUSED, {"bytes": size, "refused": [why.code, why.what, why.fix]}
        except StorageError:
            _FS.remove(str(place / DATA))  # the disk may be full of it
            raise
        _FS.create(str(place / name), json.dumps(decision).encode())
        claim = read_claim(place)
        assert claim is not None
        self._tidy(claim, place)
        return claim

    def _take_in(self, place: Path, feed: str) -> dict[str, Any]:
        require_file(place / FILE)
        if not feed:
            raise refusal("upload.feed_unknown", feeds=", ".join(f"{name}/" for name in self.config.feeds))
        _FS.remove(str(place / DATA))
        digest = identity(self.layout.client, feed)
        size = copy_in(place / FILE, place / DATA, digest, self.limits.max_upload_bytes)
        with (place / DATA).open("rb") as data:
            archive.check(data, self.limits)
        return {"drop": digest.hexdigest(), "bytes": size}

    def _take_sidecar(self, ticket: dict[str, Any]) -> None:
        """Removes the sidecar, unless the client has put a new one since, which speaks of another file.

        The file went first: a sidecar alone completes nothing, but a file whose sidecar is gone waits for ever.
        """
        if not ticket["sidecar"]:
            return
        directory, name = self.layout.incoming / ticket["feed"], ticket["name"] + SIDECAR
        with faults(directory):
            try:
                with held(self.layout.root, directory) as source:
                    if Mark.of(os.stat(name, dir_fd=source, follow_symlinks=False)) == Mark(*ticket["sidecar"]):
                        os.unlink(name, dir_fd=source)
                        os.fsync(source)
            except NO_DIRECTORY:
                return

    def _tidy(self, claim: Claim, place: Path) -> None:
        """Removes what the decision made superfluous."""
        _FS.remove(str(place / (DATA if claim.refused else FILE)))
