"""Where the configuration lies, and reading one of its files."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from conf.errors import ConfigError

_MOST = 1 << 20


def conf_directory() -> Path:
    """``$LANDFALL_CONF``, else ``conf/`` below the working directory, else the one that is installed."""
    named = os.environ.get("LANDFALL_CONF")
    if named:
        return Path(named)
    here = Path("conf")
    return here if (here / "clients").is_dir() else Path(__file__).parent


def read_toml(path: Path) -> dict[str, Any]:
    """The file's content (at most 1 MiB).

    FileNotFoundError where there is none; ConfigError if it cannot be read or is not TOML.
    """
    return parse_toml(path, read_bounded(path))


def read_bounded(path: Path) -> bytes:
    """The file's bytes (at most 1 MiB), with the errors of ``read_toml``."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    if len(data) > _MOST:
        raise ConfigError(f"{path} has more than {_MOST} bytes; a configuration file is shorter.")
    return data


def parse_toml(path: Path, data: bytes) -> dict[str, Any]:
    """What a file's bytes say; ConfigError if they are not TOML."""
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}. Texts stand in quotes, lists in [ ].") from error
