"""Files for a client that answer no upload: handed over once, whatever is killed and whatever the client does.

A file is made whole out of the client's reach. Creating its mark settles it: from then on it is only delivered, by one
rename, so nothing in the outbox is ever half, and nothing comes a second time after the client took it away.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from targets.faults import faults
from targets.landing.held import held
from targets.landing.layout import LandingLayout
from targets.landing.outbox import hand_over
from targets.local import LocalFileSystem

_FS = LocalFileSystem()
_PIECE = 1 << 20


def prepare(root: Path, client: str, name: str, content: Callable[[], AbstractContextManager[BinaryIO]]) -> None:
    """Makes the file that is to be delivered, anew if a killed run left one."""
    place = LandingLayout(root, client).delivery(name)
    with faults(place.parent):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _FS.remove(str(place))
    with content() as source, _FS.writer(str(place)) as goal:
        shutil.copyfileobj(source, goal, _PIECE)


def hand(root: Path, client: str, name: str) -> Path:
    """Delivers a file that is settled, unless it is delivered already; returns where it is, or was."""
    layout = LandingLayout(root, client)
    place, outbox = layout.delivery(name), layout.deliveries_outbox
    if _FS.exists(str(place)):
        with faults(outbox), held(layout.root, outbox, make=True) as goal:
            hand_over(place, goal)
            os.rename(place, name, dst_dir_fd=goal)
            os.fsync(goal)
    return outbox / name


def waits(root: Path, client: str, name: str) -> bool:
    """Whether a file that was made is not delivered yet."""
    return _FS.exists(str(LandingLayout(root, client).delivery(name)))
