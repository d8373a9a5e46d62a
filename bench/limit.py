"""How far a whole run is from what the machine allows: ``python -m bench.limit 20000``.

Every step that a picture needs is measured alone, in one process, by its CPU time. Their sum over the machine's cores
is the limit: what a run would take in which all cores did nothing else from its first moment to its last.
"""

from __future__ import annotations

import hashlib
import resource
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pybase64

from bench.photograph_web import photograph_web
from bench.pictures import CACHE, landfall, make_photographs, url
from bench.timing import Timed, drop_caches
from conf.settings import Images, Settings
from spark_jobs import transforms
from spark_jobs.images.decode import decode
from spark_jobs.images.encode import encode
from spark_jobs.images.picture import Picture
from spark_jobs.transforms import Transform
from spark_jobs.web.fetch import Request, WebPolicy, fetch_all
from targets.image_store import ImageDocument, open_store

_SAMPLE = 2048  # pictures that the steps are measured with
_BATCH = 256
_ROUNDS = 5


@dataclass
class Steps:
    """CPU milliseconds a picture of each step, a round each."""

    each: dict[str, list[float]]

    @contextmanager
    def step(self, name: str, pictures: int) -> Iterator[None]:
        began = _cpu()
        yield
        self.each.setdefault(name, []).append(1000 * (_cpu() - began) / pictures)

    def around(self) -> dict[str, float]:
        """Of the last two rounds, between which there were runs."""
        return {name: statistics.mean(rounds[-2:]) for name, rounds in self.each.items()}

    def medians(self) -> dict[str, float]:
        return {name: statistics.median(rounds) for name, rounds in self.each.items()}


def main(count: int) -> None:
    """Prints the steps, the limit, and a run of so many pictures beside it; they take turns, as a machine's speed
    changes from minute to minute.
    """
    make_photographs(max(count, _SAMPLE))
    steps, whole, start = Steps({}), Timed("landfall"), Timed("landfall, one picture")
    ratios: list[float] = []
    with (
        photograph_web(CACHE / "photographs", max(count, _SAMPLE)) as port,
        tempfile.TemporaryDirectory(prefix="landfall-limit-") as place,
    ):
        _measure(Steps({}), port, Path(place) / "steps")  # libraries are loaded in it
        _measure(steps, port, Path(place) / "steps")
        for number in range(_ROUNDS):
            for timed, pictures in ((whole, count), (start, 1)):
                landfall(Path(place) / f"run-{pictures}", port, pictures, timed, number)
                drop_caches()
            _measure(steps, port, Path(place) / "steps")
            limit = _limit(steps.around(), count)
            ratios.append((whole.seconds[-1] - start.seconds[-1]) / limit)
            told = f"{whole.seconds[-1]:.1f} s, one picture {start.seconds[-1]:.1f} s, limit {limit:.1f} s"
            print(f"round {number + 1}: {told}: {ratios[-1]:.2f}", file=sys.stderr, flush=True)
    medians = steps.medians()
    for name, milliseconds in medians.items():
        print(f"{name:<34} {milliseconds:>7.3f} ms a picture")
    print(f"{'all steps':<34} {sum(medians.values()):>7.3f} ms a picture, CPU of one core")
    print(f"\n{count:,} pictures on {psutil.cpu_count()} cores: the limit is {_limit(medians, count):.1f} s")
    print(f"a run takes {whole.median:.1f} s, of which {start.median:.1f} s are those of a run of one picture")
    print(f"without them it takes {statistics.median(ratios):.2f} of the limit, the median of the rounds")


def _limit(steps: Mapping[str, float], count: int) -> float:
    """Seconds in which all cores do these steps (CPU milliseconds a picture)."""
    return sum(steps.values()) * count / 1000 / (psutil.cpu_count() or 1)


def _measure(steps: Steps, port: int, place: Path) -> None:
    """One round of all steps."""
    policy = WebPolicy(sources=(f"127.0.0.1:{port}",), allow_addresses=("127.0.0.1:*",))
    requests = [Request(0, number + 1, url(port, number), None, None) for number in range(_SAMPLE)]
    web = _web_cpu()
    with steps.step("fetch", _SAMPLE):
        originals = [answer.content or b"" for answer in fetch_all(requests, policy)]
    steps.each.setdefault("the web that is asked (nginx)", []).append(1000 * (_web_cpu() - web) / _SAMPLE)
    grayscale = transforms.load(["grayscale"])
    with steps.step("decode, gray, encode", _SAMPLE):
        results = [_made(original, grayscale) for original in originals]
    with steps.step("hashes: both pictures, both files", _SAMPLE):
        for content in (*originals, *results) * 2:
            hashlib.sha256(content).hexdigest()
    place.mkdir()
    with steps.step("Parquet: originals and results", _SAMPLE):
        for name, contents in (("originals", originals), ("results", results)):
            _write_parquet(place / name, contents)
    with steps.step("base64", _SAMPLE):
        texts = list(map(pybase64.b64encode_as_string, results))
    documents = [_document(number, text) for number, text in enumerate(texts)]
    settings = Settings(env="test", home=place)
    open_store(settings, "demo", prepare=True).close()
    with steps.step("store (SQLite)", _SAMPLE), open_store(settings, "demo") as store:
        for start in range(0, _SAMPLE, _BATCH):
            store.insert(documents[start : start + _BATCH])
    shutil.rmtree(place)
    drop_caches()  # no run is to find what the steps wrote on its way to the disk


def _made(original: bytes, chosen: Sequence[Transform]) -> bytes:
    picture: Picture = decode(original, max_pixels=Images().max_pixels, gray=True)
    for transform in chosen:
        picture = transform.apply(picture)
    return encode(picture, quality=Images().jpeg_quality)[0]


def _write_parquet(file: Path, contents: Sequence[bytes]) -> None:
    schema = pa.schema([pa.field("content", pa.binary())])
    with pq.ParquetWriter(file, schema, compression="none", use_dictionary=False, write_batch_size=16) as writer:
        for start in range(0, len(contents), _BATCH):
            writer.write_table(pa.table({"content": pa.array(contents[start : start + _BATCH], pa.binary())}))


def _document(number: int, text: str) -> ImageDocument:
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return ImageDocument(
        id=digest,
        image=text,
        digest=digest,
        original=digest,
        width=640,
        height=480,
        format="JPEG",
        bytes=len(text) * 3 // 4,
        source="http://127.0.0.1/",
        inserted=datetime(2024, 2, 29, tzinfo=UTC),
        client="demo",
        feed="photos",
        drop=digest,
        transforms=("grayscale",),
    )


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _web_cpu() -> float:
    """CPU seconds that nginx has used so far."""
    return sum(
        sum(child.cpu_times()[:2]) for child in psutil.Process().children(recursive=True) if child.name() == "nginx"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
