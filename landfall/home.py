"""What ``landfall init`` makes: directories, the demo's operator, a configuration to edit."""

from __future__ import annotations

import os
import secrets
import shlex
from dataclasses import dataclass
from pathlib import Path

import conf
from auth.directory.file import FileDirectory
from auth.private import read_private, write_private
from conf.client import client_ids, load_client
from conf.errors import AccessDenied, AlreadyExists, ConfigError, StorageError
from conf.files import conf_directory
from conf.settings import Settings, load_settings
from spark_jobs.transforms import names
from targets.image_store import open_store
from targets.lake import open_lake, prepare_client
from targets.landing import Landing
from targets.local import LocalFileSystem

OPERATOR = "demo-operator"
GROUP = "demo-operators"
_MOST_PASSWORD_BYTES = 4096


@dataclass(frozen=True)
class Home:
    """What ``make_home`` made or found.

    Attributes:
        path: ``LANDFALL_HOME``, absolute.
        conf: the directory of the configuration, absolute.
        copied: configuration files that were written there.
        environment: the file to be sourced; None where a directory server
            says who people are, which knows no demo operator.
        clients: whose landing and image store are ready.
    """

    path: Path
    conf: Path
    copied: tuple[Path, ...]
    environment: Path | None
    clients: tuple[str, ...]


def make_home(home: Path | None = None) -> Home:
    """Makes what is missing and leaves the rest as it is.

    Args:
        home: takes the place of ``LANDFALL_HOME`` in this process.

    Raises:
        ConfigError: settings or client files are wrong; everything that does not depend on them is made all the same.
    """
    if home is not None:
        os.environ["LANDFALL_HOME"] = str(home.absolute())
        load_settings.cache_clear()
    place, copied = _make_conf()
    settings = load_settings()
    path = settings.home.absolute()
    for directory in (path, settings.landing_root, settings.log_root, path / "secrets"):
        _make_private_directory(directory)
    if not settings.images.url.startswith("mongodb"):
        _make_private_directory(settings.store_root)
    open_lake(settings)
    environment = None if settings.env == "prod" or settings.auth.url else _make_operator(settings, path, place)
    return Home(path, place, copied, environment, _prepare_clients(settings))


def _make_conf() -> tuple[Path, tuple[Path, ...]]:
    """The directory of the configuration; a copy of ours where there is none with clients in it yet."""
    place = Path(os.environ.get("LANDFALL_CONF") or "conf").absolute()
    if any((place / "clients").glob("*.toml")):
        return conf_directory().absolute(), ()
    ours = Path(conf.__file__).parent
    fs, copied = LocalFileSystem(), []
    # The clients come last: it is by them that a configuration is known.
    for file in (*sorted(ours.glob("*.toml")), ours / "luigi.cfg", *sorted(ours.glob("clients/*.toml"))):
        goal = place / file.relative_to(ours)
        try:
            fs.create(str(goal), file.read_bytes())
        except AlreadyExists:
            continue
        copied.append(goal)
    load_settings.cache_clear()
    return place, tuple(copied)


def _make_private_directory(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be made: {error.strerror}.", "Name another directory with --home, or give the right to it."
        ) from error


def _make_operator(settings: Settings, home: Path, place: Path) -> Path:
    """The demo's operator in the file directory, with a password made at random; returns the file to be sourced."""
    file = home / "secrets" / OPERATOR
    try:
        password = read_private(file, _MOST_PASSWORD_BYTES).decode().removesuffix("\n")
    except FileNotFoundError:
        password = secrets.token_urlsafe(24)
        write_private(file, f"{password}\n".encode())
    directory = FileDirectory.of(home)
    if not _known(directory, password):
        directory.add(OPERATOR, password, [GROUP])
    variables = {
        "LANDFALL_ENV": settings.env,
        "LANDFALL_HOME": home,
        "LANDFALL_CONF": place,
        "LANDFALL_USER": OPERATOR,
        "LANDFALL_PASSWORD_FILE": file,
        "LUIGI_CONFIG_PATH": place / "luigi.cfg",
    }
    text = "".join(f"{name}={shlex.quote(str(value))}\n" for name, value in variables.items())
    environment = home / "demo.env"
    write_private(environment, text.encode())
    return environment


def _known(directory: FileDirectory, password: str) -> bool:
    if not directory.path.exists():
        return False
    try:
        return GROUP in directory.authenticate(OPERATOR, password).groups
    except AccessDenied:
        return False


def _prepare_clients(settings: Settings) -> tuple[str, ...]:
    """Makes each client's landing and image store; the mistakes of all are told once the sound ones are ready."""
    ready: list[str] = []
    problems: list[str] = []
    for client in client_ids():
        try:
            Landing(settings.landing_root, load_client(client, names()), settings.landing).prepare()
            open_store(settings, client, prepare=True).close()
            prepare_client(settings, client)
            ready.append(client)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(*problems)
    return tuple(ready)
