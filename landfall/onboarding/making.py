"""Makes planned clients: their places first, then grants, then the file by which a client is there."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path

from auth.private import held_private
from conf.errors import AlreadyExists, ConfigError, LandfallError
from conf.feeds import ImagesFeed
from conf.files import conf_directory
from conf.grants import Grant, load_grants
from conf.settings import Settings
from landfall.onboarding import toml
from landfall.onboarding.plan import ClientPlan
from targets.faults import faults
from targets.image_store import open_store
from targets.lake import prepare_client
from targets.landing import Landing

_LOCK = "onboard.lock"


def make(settings: Settings, plans: Sequence[ClientPlan], grants: Sequence[Grant]) -> dict[str, str]:
    """Makes the clients. What a kill leaves undone, the same command does when it is run again.

    Returns:
        Of each client whose image store is not ready, why.
    """
    with held_private(settings.home.absolute() / _LOCK):
        unready = {}
        for plan in plans:
            why = _places(settings, plan)
            if why:
                unready[plan.client] = why
        if grants:
            _grant(grants)
        for plan in plans:
            _put(plan.file, plan.before, plan.text)
    return unready


def _places(settings: Settings, plan: ClientPlan) -> str:
    """Makes the client's landing, its tree in the lake and its image store; why that store is not ready, if so."""
    Landing(settings.landing_root, plan.config, settings.landing).prepare()
    prepare_client(settings, plan.client)
    if not any(isinstance(feed, ImagesFeed) for feed in plan.config.feeds.values()):
        return ""
    try:
        open_store(settings, plan.client, prepare=True).close()
    except LandfallError as error:  # its database user may have to be made first; a run asks again
        return str(error)
    return ""


def _grant(grants: Iterable[Grant]) -> None:
    """Adds grants to the file, which keeps all that stands in it."""
    file = conf_directory() / "grants.toml"
    with faults(file):
        before = file.read_bytes()
    tables = [
        toml.table("[[grants]]", {"group": one.group, "role": one.role, "client": one.client, "feeds": "*"})
        for one in grants
    ]
    _put(file, before, f"{before.decode('utf-8').rstrip()}\n\n{toml.text(tables)}")
    try:
        load_grants()
    except ConfigError:
        _put(file, None, before.decode("utf-8"), over=True)
        raise


def _put(file: Path, before: bytes | None, text: str, over: bool = False) -> None:
    """Puts a text in a file's place, whole or not at all.

    Args:
        before: what the file holds; AlreadyExists if it holds something else by now. None: there is no file.
        over: whatever it holds.
    """
    data = text.encode("utf-8")
    if data == before:
        return
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(6)}")
    with faults(file):
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
                made.write(data)
                made.flush()
                os.fchmod(made.fileno(), _mode(file))
                os.fsync(made.fileno())
            if before is None and not over:
                _link(temporary, file)
            else:
                if not over and file.read_bytes() != before:
                    raise AlreadyExists(f"{file} was changed meanwhile; it was not replaced.", "Run the command again.")
                temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
        directory = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _link(temporary: Path, file: Path) -> None:
    """A link, unlike a rename, refuses to replace what is there."""
    try:
        os.link(temporary, file)
    except FileExistsError:
        raise AlreadyExists(f"{file} was made meanwhile; it was not replaced.", "Run the command again.") from None


def _mode(file: Path) -> int:
    """The mode of the file as it is, or of the grants beside it: who reads the one reads the other."""
    for like in (file, conf_directory() / "grants.toml"):
        if like.exists():
            return like.stat().st_mode & 0o666
    return 0o640
