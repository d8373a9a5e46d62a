"""The files that DuckDB may open where the lake is no directory of this machine: these, and no other."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

from fsspec import AbstractFileSystem

from conf.errors import LandfallError
from targets.filesystem import FileSystem


class Readable(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A file system of fsspec with a few files in it, which can be read.

    DuckDB's own list of allowed paths stands before it; this one has no way to open anything else.

    Args:
        fs: where the files lie.
        paths: the path of each file, by URI.
    """

    cachable = False

    def __init__(self, fs: FileSystem, paths: Mapping[str, str]) -> None:
        super().__init__()
        self._fs = fs
        self._paths = paths
        self._sizes: dict[str, int] = {}
        self.protocol = sorted({uri.partition("://")[0] for uri in paths})

    def open(self, path: str, mode: str = "rb", *_: Any, **__: Any) -> BinaryIO:
        """One of the files, for reading; PermissionError for any other, and for writing."""
        if mode not in ("r", "rb"):
            raise PermissionError(path)
        try:
            return self._fs.open(self._known(path))
        except LandfallError as error:
            raise OSError(str(error)) from error

    def size(self, path: str) -> int:
        """Bytes."""
        if path not in self._sizes:
            with self.open(path) as file:
                self._sizes[path] = file.seek(0, io.SEEK_END)
        return self._sizes[path]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """What is known of one of the files."""
        return {"name": path, "size": self.size(path), "type": "file"}

    def exists(self, path: str, **_: Any) -> bool:
        """Whether it is one of the files."""
        return path in self._paths

    def isfile(self, path: str) -> bool:
        """The same."""
        return path in self._paths

    def isdir(self, path: str) -> bool:  # noqa: ARG002
        """There are no directories."""
        return False

    def glob(self, path: str, *_: Any, **__: Any) -> list[str]:
        """The file itself: names are no patterns here."""
        return [path] if path in self._paths else []

    def ls(self, path: str, *_: Any, **__: Any) -> list[Any]:
        """Nothing is listed."""
        raise PermissionError(path)

    def modified(self, path: str) -> datetime:
        """Published files never change."""
        self._known(path)
        return datetime.fromtimestamp(0, UTC)

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        return path

    def unstrip_protocol(self, name: str) -> str:
        """The name, which is the URI."""
        return name

    def _known(self, path: str) -> str:
        if path not in self._paths:
            raise PermissionError(path)
        return self._paths[path]
