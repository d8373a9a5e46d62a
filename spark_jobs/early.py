"""Pictures into the image store while the next are made: a thread of the worker waits for the disk in its place.

Only what lies in a finished shard is handed on, so the lake has, be it in staging, what the store has. What does not
come so far is left to the Store stage, which looks for every picture. The pictures of a shard that is not too large are
kept (``spark_jobs.kept``) until they are stored: reading them again would take as long as storing them.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence

from conf.errors import LandfallError, NotFound
from spark_jobs.kept import Row
from spark_jobs.shards import Written
from spark_jobs.store import Destination, StoreJob
from targets.filesystem import FileSystem
from targets.image_store import ImageStore, takes_early

# Shards that may wait.
_MOST = 1
_IDLE_SECONDS = 5.0
_LEFT = "pictures are left to the Store stage"


def begin(fs: FileSystem, images: str, destination: Destination) -> StoreJob | None:
    """Makes the image store ready; None where it takes nothing early, or nothing at all: Store says what is wrong.

    Args:
        images: path of the directory that takes the shards of pictures.

    Returns:
        What ``hand_on`` wants.
    """
    settings = destination.settings
    # What a thread reads again of a lake on HDFS comes over the network, in the way of what is fetched and written.
    if not takes_early(settings) or settings.lake.url.startswith("hdfs://"):
        return None
    try:
        destination.open(prepare=True).close()
    except LandfallError as fault:
        destination.log.warning(_LEFT, error=str(fault))
        return None
    return StoreJob(fs, images, destination)


def hand_on(job: StoreJob, shard: Written, kept: Sequence[Row]) -> None:
    """Has a finished shard's pictures be stored meanwhile, unless there is enough to do.

    Args:
        kept: its rows with a picture (of IMAGES) where they are at hand, all of them or none.
    """
    global _last
    with _ONE_HANDS_ON:
        if _last is None or _last.job != job or not _last.takes:
            _last = _Thread(job)
        _last.offer(shard.name, kept)


class _Thread:
    """The thread of a process that stores one drop's pictures; it ends when none come, or when one cannot be stored."""

    def __init__(self, job: StoreJob) -> None:
        self.job = job
        self.failed = self.ended = False
        self._waiting: queue.Queue[tuple[str, Sequence[Row]]] = queue.Queue(_MOST)
        self._thread = threading.Thread(target=self._run, name="early", daemon=True)
        self._thread.start()

    @property
    def takes(self) -> bool:
        """Whether it is to be asked again: one that failed would fail again."""
        return self.failed or not self.ended

    def offer(self, name: str, kept: Sequence[Row]) -> None:
        """Gives it a shard, unless it has enough to do."""
        if not self.ended and not self._waiting.full():
            self._waiting.put_nowait((name, kept))

    def _run(self) -> None:
        try:
            with self.job.destination.open() as store:
                while True:
                    self._put(store, *self._waiting.get(timeout=_IDLE_SECONDS))
        except queue.Empty:
            return
        except NotFound:  # the shards were taken on, and Store will find them
            self.failed = True
        except Exception as fault:  # noqa: BLE001  # whatever it is, Store meets it too, and says so
            self.failed = True
            self.job.destination.log.warning(_LEFT, error=str(fault))
        finally:
            with _ONE_HANDS_ON:  # what waits now would wait for ever, in memory
                self.ended = True
                while not self._waiting.empty():
                    self._waiting.get_nowait()

    def _put(self, store: ImageStore, name: str, kept: Sequence[Row]) -> None:
        if kept:
            self.job.put_rows(name, kept, store)
        else:
            self.job.put(name, store)


_last: _Thread | None = None
_ONE_HANDS_ON = threading.Lock()
