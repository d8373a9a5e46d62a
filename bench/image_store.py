"""How fast the Store stage's job fills each kind of image store: ``python -m bench.image_store``.

The pictures are made up, of the size that the main job's have; each round fills an empty store of every kind, in turn,
in the same Spark session, so that what the machine does besides falls on all alike. MongoDB is played by the tests'
server (tests/servers/mongo.py), which keeps its documents as JSON in SQLite: a mongod is faster.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from conf.settings import Settings
from spark_jobs.schemas import IMAGES
from spark_jobs.session import session
from spark_jobs.shards import write_shard
from spark_jobs.store import Destination, StoreJob
from targets.local import LocalFileSystem
from targets.runlog import RunLog
from tests.servers.mongo import mongo_server

_SHARD_ROWS = 256


def _rows(numbers: range, size: int) -> Iterator[dict[str, Any]]:
    for number in numbers:
        content = random.Random(number).randbytes(size)
        digest = sha256(content).hexdigest()
        yield {
            **dict.fromkeys(IMAGES.names),
            "entry": 0,
            "line": number + 1,
            "url": f"http://127.0.0.1/id/{number}",
            "rule": "ok",
            "message": "",
            "original_id": digest,
            "original_bytes": size,
            "image_id": sha256(digest.encode()).hexdigest(),
            "image_digest": digest,
            "width": 640,
            "height": 480,
            "format": "JPEG",
            "bytes": size,
            "transforms": "grayscale",
            "content": content,
        }


def main() -> None:
    """Prints each store's rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--bytes", type=int, default=50_000, help="of a picture")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, mongo_server(Path(scratch) / "mongo") as server:
        root, fs = Path(scratch), LocalFileSystem()
        images = f"{root}/images"
        fs.make_directory(images)
        for start in range(0, given.pictures, _SHARD_ROWS):
            numbers = range(start, min(start + _SHARD_ROWS, given.pictures))
            write_shard(fs, f"{images}/part-{start:08d}.parquet", IMAGES, _rows(numbers, given.bytes))
        kinds = {"SQLite": {}, "MongoDB's protocol": {"images": {"url": server.url}}}
        seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
        spark = session(Settings(env="test", home=root / "spark"))
        spark.range(8).mapInArrow(lambda batches: batches, "id long").count()  # the Python workers start
        for number in range(given.rounds):
            for kind, more in kinds.items():
                mongo = {"tls": False, "database": f"bench{number}_{{env}}_{{client}}"}
                job = StoreJob(
                    fs=fs,
                    images=images,
                    destination=Destination(
                        Settings(env="test", home=root / f"home{number}", mongo=mongo, **more),
                        client="demo",
                        feed="photos",
                        drop="d" * 64,
                        transforms=("grayscale",),
                        log=RunLog(str(root / "log.jsonl"), "info", {}),
                    ),
                    report=lambda _done, _total: None,
                )
                began = time.monotonic()
                assert job.run(spark) == (given.pictures, 0)
                seconds[kind].append(time.monotonic() - began)
        spark.stop()
    for kind, each in seconds.items():
        rate = given.pictures / statistics.median(each)
        print(
            f"{kind}: {rate:,.0f} pictures/s, {rate * given.bytes * 4 / 3 / 1e6:,.1f} MB/s of base64 "
            f"(median of {', '.join(f'{one:.2f}' for one in each)} s)"
        )


if __name__ == "__main__":
    main()
