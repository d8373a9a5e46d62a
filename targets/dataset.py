"""A directory that appears whole or not at all, with its manifest."""

from __future__ import annotations

import contextlib
import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from conf.errors import AlreadyExists, NotFound
from targets.filesystem import FileSystem, Lease
from targets.layout import MANIFEST

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """What a stage's output is made of and where it came from; the chain of manifests is the lineage.

    Attributes:
        stage, build, client, feed, drop: whose output it is.
        logic: version of the stage's logic.
        settings: the settings that the stage reads.
        inputs: sha-256 of the manifest of each input stage, by stage.
        counts: how many lines, pictures, bytes …, by name.
        files: bytes and sha-256 of each file, by path relative to the output.
        times: when the stage began and ended (ISO 8601, UTC) and how many seconds it took.
        versions: of Landfall and the libraries that shaped the output.
        schema_version: of the tables.
        tables: what readers find in the output (``targets.tables.Table`` as JSON), by table; empty of an output that
            no reader sees, and of one that is older than descriptions.
        workflow, action: whose output it is, if it is no stage's of a drop; then ``stage`` is ``action``, ``feed`` and
            ``drop`` are empty unless it is of one drop, and ``inputs`` has the identity of each table that was read.
    """

    stage: str
    build: str
    client: str
    feed: str
    drop: str
    logic: int
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    counts: Mapping[str, int]
    times: Mapping[str, Any]
    versions: Mapping[str, str]
    schema_version: int = 1
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    workflow: str = ""
    action: str = ""

    def to_json(self) -> bytes:
        return json.dumps(self.__dict__, indent=1, sort_keys=True, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        return cls(**json.loads(data))


@dataclass(frozen=True)
class Dataset:
    """One stage's output: ``path`` with a sub-directory a table. It is there when its manifest is."""

    fs: FileSystem
    path: str

    def exists(self) -> bool:
        """Whether the output is there. It is put in place by one rename, so it is there whole."""
        return self.fs.exists(f"{self.path}/{MANIFEST}")

    def table(self, name: str) -> str:
        """Path of a table's directory."""
        return f"{self.path}/{name}"

    def manifest(self) -> Manifest:
        return Manifest.from_json(self.fs.read(f"{self.path}/{MANIFEST}"))

    def manifest_digest(self) -> str:
        """sha-256 of the manifest, which names the digest of every file."""
        return hashlib.sha256(self.fs.read(f"{self.path}/{MANIFEST}")).hexdigest()


@dataclass(frozen=True)
class Staging:
    """Where an output is made before it is put in place.

    Attributes:
        path: the staging directory.
        goal: the output it becomes.
        lease: under which it is made.
    """

    fs: FileSystem
    path: str
    goal: Dataset
    lease: Lease

    def table(self, name: str) -> str:
        return f"{self.path}/{name}"

    def seal(self, manifest: Manifest, digests: Mapping[str, str] | None = None) -> None:
        """Writes the manifest, makes all durable and puts it in place by one rename that refuses to replace.

        Args:
            manifest: without ``files``, which are found here.
            digests: sha-256 of files that their writers hashed already, by relative path: they are not read again.

        A second process that put the same output in place first has done this work: ours is dropped. LeaseLost if
        another took the work over; a kept staging directory is his by then, and left alone.
        """
        self.lease.check()
        self.fs.sweep(self.path)
        files = {name: self._described(name, entry.bytes, digests or {}) for name, entry in self.fs.walk(self.path)}
        files.pop(MANIFEST, None)
        whole = Manifest(**{**manifest.__dict__, "files": files})
        self.lease.check()
        self.fs.remove(f"{self.path}/{MANIFEST}")
        self.fs.create(f"{self.path}/{MANIFEST}", whole.to_json())
        self.fs.sync(self.path)
        self.lease.check()
        try:
            self.fs.rename(self.path, self.goal.path)
        except AlreadyExists:
            if not self.goal.exists():
                raise
            self.fs.remove(self.path)

    def _described(self, name: str, size: int, digests: Mapping[str, str]) -> dict[str, Any]:
        return {"bytes": size, "sha256": digests.get(name) or file_digest(self.fs, f"{self.path}/{name}")}


@contextlib.contextmanager
def staging(goal: Dataset, path: str, resumable: bool, lease: Lease) -> Iterator[Staging]:
    """A staging directory for ``goal``.

    Args:
        lease: the stage's, which the caller holds.
        goal: the output to be.
        path: the staging path of this stage of this drop and build.
        resumable: whether what a killed attempt finished is kept. If not, each attempt has a directory of its own, so
            that a worker process which outlives its killed run writes to a place that nobody reads.
    """
    fs = goal.fs
    if resumable:
        place = kept(path)
        fs.make_directory(place)
        fs.sweep(path)
    else:
        fs.remove(path)
        place = f"{path}/{uuid.uuid4().hex}"
        fs.make_directory(place)
    yield Staging(fs, place, goal, lease)
    fs.remove(path)


def kept(path: str) -> str:
    """Where a resumable stage keeps what it has finished, below the staging path of its drop and build."""
    return f"{path}/kept"


def file_digest(fs: FileSystem, path: str) -> str:
    """sha-256 of a file, read in pieces (64 hex digits)."""
    digest = hashlib.sha256()
    with fs.open(path) as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def require(dataset: Dataset, what: str) -> Manifest:
    """The manifest of an output that must be there."""
    try:
        return dataset.manifest()
    except NotFound as error:
        raise NotFound(f"{what} has no output at {dataset.path}.", "Run the client again to make it.") from error
