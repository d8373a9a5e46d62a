"""The run log: JSON lines from the Luigi process and from Spark's Python workers, one file a run and client."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

_SECRET = re.compile(r"password|passwd|secret|token|credential", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


@dataclass(frozen=True)
class RunLog:
    """Appends events to one file. Picklable, so that a Spark worker writes to the same file.

    Attributes:
        path: the file; a directory that is not there (a worker on another machine) means standard error.
        level: least level that is written.
        context: run, client, feed, drop, stage, build: what every event carries.
    """

    path: str
    level: str = "info"
    context: dict[str, str] = field(default_factory=dict)

    def bind(self, **context: str) -> RunLog:
        """The same log with more context."""
        return replace(self, context={**self.context, **context})

    def info(self, event: str, **fields: object) -> None:
        """Writes an event: a few words, and its figures as fields."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        self._write("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        if _LEVELS[level] < _LEVELS[self.level]:
            return
        logger = structlog.wrap_logger(
            _Appender(self.path),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _redact,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ],
            cache_logger_on_first_use=False,
        )
        getattr(logger, level)(event, **self.context, **fields)


@dataclass(frozen=True)
class _Appender:
    """A logger for structlog: one write of one line to a file opened for appending, so lines never mix."""

    path: str

    def msg(self, message: str) -> None:
        append_line(Path(self.path), message)

    info = warning = error = msg


def append_line(path: Path, line: str, durable: bool = False) -> None:
    """Appends one line by one write, mode 0600; to standard error where the directory is not there.

    Args:
        durable: whether the line is on the disk when this returns.
    """
    data = f"{line}\n".encode("utf-8", "backslashreplace")
    if not path.parent.is_dir():
        sys.stderr.buffer.write(data)
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, data)
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _redact(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """No secret reaches the log: neither under a telling name nor inside a URL."""
    for name, value in event.items():
        if _SECRET.search(name):
            event[name] = "***"
        elif isinstance(value, str):
            event[name] = _USERINFO.sub("***@", value)
    return event
