"""What a person would write in an afternoon: requests, Pillow, 32 threads; gray base64 into SQLite.

Usage: ``.venv-bench/bin/python bench/hand_written.py URLS DATABASE``.
"""

from __future__ import annotations

import base64
import hashlib
import io
import sqlite3
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import requests
from PIL import Image

THREADS = 32
_BATCH = 500
_local = threading.local()


def fetch(url: str) -> tuple[str, str, int, int, str]:
    """Digest, url, width, height and gray picture in base64."""
    if not hasattr(_local, "session"):
        _local.session = requests.Session()
    content = _local.session.get(url, timeout=60).content
    picture = Image.open(io.BytesIO(content)).convert("L")
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return hashlib.sha256(content).hexdigest(), url, *picture.size, base64.b64encode(out.getvalue()).decode()


def main(urls: Path, database: Path) -> None:
    """Fetches all, in batches that bound its memory."""
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE images (digest TEXT, url TEXT, width INT, height INT, image TEXT)")
    lines: Iterator[str] = iter(urls.read_text().split())
    with ThreadPoolExecutor(THREADS) as pool:
        while batch := list(islice(lines, _BATCH)):
            with connection:
                connection.executemany("INSERT INTO images VALUES (?, ?, ?, ?, ?)", pool.map(fetch, batch))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
