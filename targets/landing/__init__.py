"""The landing: where a client drops files and finds its answers. Complete uploads are claimed once, answered once.

The client may do anything in its directories at any instant, and we may be killed at any instant. One process at a time
claims and acknowledges (its caller holds a lease); anyone may look.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from conf.client import ClientConfig
from conf.errors import AlreadyExists, NotFound
from conf.settings import Landing as Limits
from targets.faults import faults
from targets.landing import outbox
from targets.landing.claim import Claim, claimed_feeds, claims_in, places_in, read_claim, refusals_in
from targets.landing.claiming import Claiming
from targets.landing.held import held
from targets.landing.incoming import SIDECAR, Upload, find, never_taken
from targets.landing.layout import LandingLayout, upload_id
from targets.local import LocalFileSystem
from targets.names import printable
from targets.refusal import refusal

__all__ = ["Claim", "Landing", "Upload"]

_PIECE = 1 << 20
_FS = LocalFileSystem()


class Landing:
    """One client's landing.

    Args:
        root: directory of the landing.
        config: the client; its feeds have directories in ``incoming/`` and ``outbox/``.
        limits: how much is taken.

    Raises:
        StorageError: from every method, when a disk is full or a directory is not what it must be.
    """

    def __init__(self, root: Path, config: ClientConfig, limits: Limits) -> None:
        self._layout = LandingLayout(root, config.client)
        self._config = config
        self._limits = limits

    def prepare(self) -> None:
        """Makes ``incoming/<feed>`` and ``outbox/<feed>`` of every feed, as open to the client as their parents."""
        for feed in self._config.feeds:
            for directory in (self._layout.incoming / feed, self._layout.outbox(feed)):
                with faults(directory), held(self._layout.root, directory, make=True):
                    continue

    def uploads(self) -> list[Upload]:
        """What lies in ``incoming/``, complete or not."""
        with faults(self._layout.incoming):
            return [found.upload() for found in find(self._layout, self._config)]

    def claim(self, feeds: Collection[str] | None = None) -> Iterator[Claim]:
        """Claims: first those that earlier runs left, then every complete upload, newly taken, in order of arrival.

        Args:
            feeds: of these feeds only; None: of all, and of what lies in no feed's directory, which is refused.
                Claims of a feed that is configured no more wait until it is again.
        """
        claiming = Claiming(self._layout, self._config, self._limits)
        asked = ["", *self._config.feeds] if feeds is None else [feed for feed in self._config.feeds if feed in feeds]
        for feed in asked:
            outbox.deliver_settled(self._layout, feed)
            yield from claiming.left(feed)
        with faults(self._layout.incoming):
            complete = [found for found in find(self._layout, self._config, feeds) if not found.why]
        for found in complete:
            claim = claiming.take(found)
            if claim:
                yield claim

    def claims(self) -> list[Claim]:
        """What is claimed and not yet answered, of all feeds, without claiming."""
        return [claim for directory in claimed_feeds(self._layout) for claim in claims_in(directory)]

    def refused(self, last: int, feeds: Collection[str] | None = None) -> list[Claim]:
        """The last uploads that were refused and answered, the oldest first.

        Args:
            last: how many at most.
            feeds: of these feeds only; None: of all, and of what lay in no feed's directory.
        """
        places = refusals_in(self._layout) if feeds is None else chain.from_iterable(map(self._refusals_of, feeds))
        newest = sorted(places, key=lambda place: place.name)[-last:]  # an upload's id sorts by its time
        return [claim for claim in map(read_claim, newest) if claim]

    def sweep_refused(self, before: datetime) -> int:
        """Removes refused uploads that were claimed before a time (UTC); their receipts stay in the outbox.

        Returns:
            How many.
        """
        old = [place for place in refusals_in(self._layout) if place.name < upload_id(before)]
        for place in old:
            _FS.remove(str(place))
        return len(old)

    def _refusals_of(self, feed: str) -> list[Path]:
        return places_in(self._layout.refusals_of(feed))

    def data_of(self, feed: str, drop: str) -> Path:
        """Our copy of a claimed upload's bytes; NotFound if no claim holds this drop."""
        for claim in claims_in(self._layout.claims_of(feed)):
            if claim.drop == drop:
                return claim.data
        raise NotFound(
            f"No claimed upload of {self._config.client}/{feed} holds drop {drop[:12]}.",
            "Have the client send the file again, and run the client again.",
        )

    def acknowledge(self, claim: Claim, receipt: Mapping[str, object], rejects: BinaryIO | None) -> Path:
        """Puts the answer into the outbox, once, and ends the claim; a refused upload goes to ``.refused/``.

        Args:
            claim: of this landing.
            receipt: what the client is told; JSON.
            rejects: bytes of the rejected rows, from where it stands; None if there are none.

        Returns:
            Where the receipt is. One that was delivered before is not written again.
        """
        return outbox.answer(self._layout, claim, receipt, rejects)

    def put(self, feed: str, source: Path) -> Path:
        """What an upload by SFTP does: into ``incoming/`` under a temporary name, then renamed; then its sidecar.

        Raises:
            NotFound: no such feed or file.
            AlreadyExists: an upload of this name waits there; it is not replaced.
            UploadRefused: the name is one that is never taken.
        """
        config = self._config.feeds.get(feed)
        if config is None:
            feeds = ", ".join(self._config.feeds)
            raise NotFound(f"Client {self._config.client} has no feed {printable(feed)}.", f"Its feeds are: {feeds}.")
        if never_taken(source.name, config):
            raise refusal("upload.name", value=printable(source.name))
        directory = self._layout.incoming / feed
        with faults(directory), held(self._layout.root, directory, make=True) as goal:
            with _FS.open(str(source)) as file:
                _put(file, goal, source.name)
            if config.complete == "sidecar":
                os.close(os.open(source.name + SIDECAR, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o666, dir_fd=goal))
                os.fsync(goal)
        return directory / source.name


def _put(file: BinaryIO, goal: int, name: str) -> None:
    temporary = f".{secrets.token_hex(8)}.part"
    # The descriptor under /proc is the directory that we hold, wherever its path leads by now.
    held_at = f"/proc/self/fd/{goal}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=goal)
    try:
        with os.fdopen(descriptor, "wb") as copy:
            shutil.copyfileobj(file, copy, _PIECE)
            copy.flush()
            os.fsync(copy.fileno())
        _FS.rename(f"{held_at}/{temporary}", f"{held_at}/{name}")
    except AlreadyExists as error:
        raise AlreadyExists(
            f"{printable(name)} is in incoming already; it was not replaced.",
            "Wait until it is taken, or give the new file another name.",
        ) from error
    finally:
        _FS.remove(f"{held_at}/{temporary}")
