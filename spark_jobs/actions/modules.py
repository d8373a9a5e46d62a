"""Python of a client's workflows: trusted code, from a directory that only an administrator writes to."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark import cloudpickle

from conf.errors import ConfigError, LandfallError
from conf.settings import Settings

MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Module:
    """One module of a client, as it was read.

    Attributes:
        path: its file.
        source: what it holds.
    """

    path: Path
    source: bytes

    @property
    def digest(self) -> str:
        """sha-256 of the file (64 hex digits)."""
        return hashlib.sha256(self.source).hexdigest()

    def function(self, name: str) -> Callable[..., Any]:
        """A function of it; the module is run once for each content."""
        found = getattr(self._run(), name, None)
        if not callable(found):
            raise ConfigError(f"{self.path} has no function {name}.")
        return found  # type: ignore[no-any-return]

    def _run(self) -> types.ModuleType:
        name = f"landfall_client_{self.path.parent.name.replace('-', '_')}_{self.path.stem}_{self.digest[:16]}"
        if name not in sys.modules:
            made = types.ModuleType(name)
            made.__file__ = str(self.path)
            try:
                # What is run is what was hashed, whatever the file holds by now.
                exec(compile(self.source, str(self.path), "exec"), made.__dict__)  # noqa: S102  # trusted code
            except Exception as error:
                raise LandfallError(
                    f"{self.path} cannot be run ({type(error).__name__}: {' '.join(str(error).split())[:300]}).",
                    "Have an admin mend it.",
                ) from error
            sys.modules[name] = made
            cloudpickle.register_pickle_by_value(made)  # type: ignore[no-untyped-call]  # executors lack the file
        return sys.modules[name]


def read_module(settings: Settings, client: str, name: str) -> Module:
    """A client's module; ConfigError where there is none, or others than its owner may write to it."""
    path = modules_of(settings, client) / f"{name}.py"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}); an admin installs a client's modules there (workflows.modules)."
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"{path} is no regular file.")
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or status.st_uid not in (0, os.geteuid()):
            raise ConfigError(f"{path} could be written by others: have it belong to root or to you, with mode 0644.")
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ConfigError(f"{path} has more than {MOST_BYTES:,} bytes.")
    return Module(path, data)


def modules_of(settings: Settings, client: str) -> Path:
    """The directory of a client's modules."""
    return settings.modules_root / client
