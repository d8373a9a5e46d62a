"""A client's landing for the tests, what a client does there, and a way to die at any step."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conf.client import ClientConfig
from conf.settings import Landing as Limits
from targets import local
from targets.landing import Claim, Landing

LIMITS = Limits(max_upload_bytes=1 << 20, max_unpacked_bytes=64 << 20, max_entries=20)
CLIENT = "demo"


def client(**feeds: dict[str, Any]) -> ClientConfig:
    default = {"kind": "images", "sources": ["pictures.example"]}
    return ClientConfig.model_validate(
        {"client": CLIENT, "feeds": {name: default | its for name, its in feeds.items()}}
    )


CONFIG = client(photos={}, side={"complete": "sidecar"}, slow={"complete": "settle", "settle_seconds": 10})


def landing_at(root: Path, config: ClientConfig = CONFIG, limits: Limits = LIMITS) -> Landing:
    made = Landing(root, config, limits)
    made.prepare()
    return made


def incoming(root: Path, *names: str) -> Path:
    return root.joinpath(CLIENT, "incoming", *names)


def outbox(root: Path, *names: str) -> Path:
    return root.joinpath(CLIENT, "outbox", *names)


def answer(landing: Landing, claim: Claim) -> Path:
    """The receipt as a run writes it."""
    receipt = {"upload": claim.upload, "drop": claim.drop, "rule": claim.refused.code if claim.refused else None}
    return landing.acknowledge(claim, receipt, None)


def files_below(root: Path) -> set[str]:
    """Everything that is no directory, by its path below ``root``."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_symlink() or not path.is_dir()}


class Killed(BaseException):
    """The process is dead: nothing that it would still do, clean up or catch happens."""


_STEPS = ("mkdir", "open", "read", "rename", "link", "unlink", "rmdir", "chmod", "chown")


@contextmanager
def dying(step: int) -> Iterator[Callable[[], int]]:
    """Dies before the system call number ``step``; every later one fails as well, so no ``finally`` has an effect.

    Yields:
        How many calls there were.
    """
    count = 0

    def stepping(real: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        if count > step:
            raise Killed
        return real(*arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        for name in _STEPS:
            patch.setattr(os, name, functools.partial(stepping, getattr(os, name)))
        # Syncing is a step of its own, but costs a test too much.
        patch.setattr(os, "fsync", functools.partial(stepping, lambda _: None))
        rename = local._rename_without_replacing
        patch.setattr(local, "_rename_without_replacing", functools.partial(stepping, rename))
        yield lambda: count
