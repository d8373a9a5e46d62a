"""Answers: every upload gets one receipt, once, whatever is killed and whatever the client does with its outbox.

An answer is made whole inside the claim. Renaming the claim settles it: from then on it is only delivered, each file by
one rename, so nothing in the outbox is ever half, and nothing comes a second time after the client took it away.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from conf.errors import NotFound
from targets.faults import faults
from targets.landing.claim import Claim, read_claim
from targets.landing.held import held, sync
from targets.landing.layout import RECEIPT, REFUSED, REJECTS, LandingLayout
from targets.local import LocalFileSystem

_FS = LocalFileSystem()
_PIECE = 1 << 20
_FOR_THE_CLIENT = 0o640  # the client's group is that of its outbox


def answer(layout: LandingLayout, claim: Claim, receipt: Mapping[str, object], rejects: BinaryIO | None) -> Path:
    """Delivers receipt and rejects and ends the claim; an answer that is settled already is only delivered.

    Returns:
        Where the receipt is.
    """
    place, answered = layout.claim(claim.feed, claim.upload), layout.answered(claim.feed, claim.upload)
    if _FS.exists(str(place)):
        _write(place, receipt, rejects)
        with faults(place):
            place.rename(answered)
            sync(answered.parent)
    if _FS.exists(str(answered)):
        _deliver(layout, claim.feed, answered)
    return layout.outbox(claim.feed) / claim.receipt_name


def deliver_settled(layout: LandingLayout, feed: str) -> None:
    """Delivers the answers that a killed run settled."""
    directory = layout.claims_of(feed)
    for entry in _FS.list(str(directory)):
        if entry.name.startswith("."):
            _deliver(layout, feed, directory / entry.name)


def _write(place: Path, receipt: Mapping[str, object], rejects: BinaryIO | None) -> None:
    _FS.sweep(str(place))
    for left in (REJECTS, RECEIPT):
        _FS.remove(str(place / left))
    if rejects is not None:
        with _FS.writer(str(place / REJECTS)) as goal:
            shutil.copyfileobj(rejects, goal, _PIECE)
    _FS.create(str(place / RECEIPT), json.dumps(receipt, indent=1, ensure_ascii=False).encode() + b"\n")


def _deliver(layout: LandingLayout, feed: str, answered: Path) -> None:
    # Without its receipt it is delivered; a kill came before it was put away.
    if _FS.exists(str(answered / RECEIPT)):
        claim = read_claim(answered)
        if claim is None:
            raise NotFound(f"{answered} has lost its {REFUSED} or claim.", "See who else writes there.")
        outbox = layout.outbox(feed)
        with faults(outbox), held(layout.root, outbox, make=True) as goal:
            for own, name in ((REJECTS, claim.rejects_name), (RECEIPT, claim.receipt_name)):
                if _FS.exists(str(answered / own)):
                    hand_over(answered / own, goal)
                    os.rename(answered / own, name, dst_dir_fd=goal)
            os.fsync(goal)
    if _FS.exists(str(answered / REFUSED)):
        _FS.rename(str(answered), str(layout.refused(feed, answered.name.removeprefix("."))))
    else:
        _FS.remove(str(answered))


def hand_over(file: Path, outbox: int) -> None:
    """Lets the outbox's group read the file: with an SFTP landing that is the client, and nobody else.

    The claim's directory hands that group on (set-group-ID), so a run that is not root has nothing to change.
    """
    with contextlib.suppress(PermissionError):
        os.chown(file, -1, os.fstat(outbox).st_gid, follow_symlinks=False)
    file.chmod(_FOR_THE_CLIENT)
