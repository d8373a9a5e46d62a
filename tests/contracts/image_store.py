"""What every image store promises (targets/image_store/protocol.py).

A subclass gives ``settings``, which choose the store and a place where nothing was prepared.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from hashlib import sha256
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import pybase64
import pytest

from conf.errors import ConfigError, NotFound, StorageError
from conf.settings import Settings
from targets.image_store import ImageDocument, Inserted, open_store

# Not fork: a store's connections, and the threads of others' tests, do not survive it.
PROCESSES = get_context("spawn")
BATCH = 8
KATHMANDU = timezone(timedelta(hours=5, minutes=45))


def document(number: int, **overrides: Any) -> ImageDocument:
    """A picture of its number's own, of a few kilobytes."""
    content = random.Random(number).randbytes(4000 + number % 1000)
    fields: dict[str, Any] = {
        "id": sha256(str(number).encode()).hexdigest(),
        "image": pybase64.b64encode(content).decode(),
        "digest": sha256(content).hexdigest(),
        "original": f"{number:064x}",
        "width": 640,
        "height": 480,
        "format": "JPEG",
        "bytes": len(content),
        "source": f"https://picsum.photos/id/{number}/640/480?ä='\"",
        "inserted": datetime(2024, 2, 29, 23, 59, 59, 999000, UTC),
        "client": "demo",
        "feed": "photos",
        "drop": "d" * 64,
        "transforms": ("grayscale", "thumbnail"),
    }
    return ImageDocument(**fields | overrides)


def documents(*numbers: int) -> list[ImageDocument]:
    return [document(number) for number in numbers]


def prepare(settings: Settings, client: str = "demo") -> None:
    open_store(settings, client, prepare=True).close()


def insert(settings: Settings, numbers: Sequence[int]) -> Inserted:
    """Inserts in batches, as a worker does."""
    new = present = 0
    with open_store(settings, "demo") as store:
        for start in range(0, len(numbers), BATCH):
            done = store.insert(documents(*numbers[start : start + BATCH]))
            new, present = new + done.new, present + done.present
    return Inserted(new, present)


def insert_and_tell(settings: Settings, told: Connection) -> None:
    """Inserts batch upon batch until it is killed, and tells of each that is done."""
    with open_store(settings, "demo") as store:
        for start in range(0, 1_000_000, BATCH):
            store.insert(documents(*range(start, start + BATCH)))
            told.send(start + BATCH)


@contextmanager
def process(
    work: Callable[[Settings, Connection], None], settings: Settings
) -> Iterator[tuple[BaseProcess, Connection]]:
    """A process that does ``work``, and what it tells; killed in the end."""
    ear, mouth = PROCESSES.Pipe(duplex=False)
    running = PROCESSES.Process(target=work, args=(settings, mouth))
    running.start()
    mouth.close()
    try:
        yield running, ear
    finally:
        running.kill()
        running.join()
        ear.close()


class ImageStoreContract:
    def test_what_is_inserted_is_read_back(self, settings: Settings) -> None:
        prepare(settings)
        with open_store(settings, "demo") as store:
            assert store.insert(documents(1, 2)) == Inserted(new=2, present=0)
            assert store.get(document(1).id) == document(1)
        with open_store(settings, "demo") as store:
            assert store.get(document(2).id) == document(2)
            assert store.count() == 2

    def test_what_is_said_to_be_there_is(self, settings: Settings) -> None:
        ids = [document(number).id for number in (1, 2, 3)]
        with open_store(settings, "demo") as store:
            assert store.present(ids) == set()
        prepare(settings)
        with open_store(settings, "demo") as store:
            assert store.present([]) == set()
            store.insert(documents(1, 2))
            assert store.present(ids) <= set(ids[:2])

    @pytest.mark.parametrize(
        "overrides",
        [
            {"image": "", "bytes": 0, "transforms": ()},
            {"source": "https://例え.example/\N{GRINNING FACE}?'; DROP TABLE images; --\n\0$where"},
            {"transforms": ('a"b', "ä,", "")},
            {"bytes": 2**40, "width": 2**31, "height": 2**31},
            {"image": "A" * 4_000_000},
        ],
    )
    def test_whatever_it_says_is_read_back(self, settings: Settings, overrides: dict[str, Any]) -> None:
        prepare(settings)
        with open_store(settings, "demo") as store:
            store.insert([document(1, **overrides)])
            assert store.get(document(1).id) == document(1, **overrides)

    def test_a_picture_of_any_size_is_like_any_other(self, settings: Settings) -> None:
        """Its base64 passes the 16 MiB that a document of MongoDB may have."""
        prepare(settings)
        content = random.Random(0).randbytes(13_000_000)
        large = document(2, image=pybase64.b64encode(content).decode(), digest=sha256(content).hexdigest())
        with open_store(settings, "demo") as store:
            assert store.insert([document(1), large, document(3), large]) == Inserted(new=3, present=1)
            assert store.insert([large]) == Inserted(new=0, present=1)
            assert store.get(large.id) == large
            assert list(store.get_many([large.id, document(3).id])) == [large, document(3)]
            assert list(store.ids()) == sorted(document(number).id for number in (1, 2, 3))
            assert store.count() == 3

    @pytest.mark.parametrize("place", [0, 10, 20])
    def test_an_id_that_is_there_is_success_wherever_it_comes_in_the_batch(
        self, settings: Settings, place: int
    ) -> None:
        prepare(settings)
        with open_store(settings, "demo") as store:
            store.insert([document(100)])
            batch = documents(*range(20))
            batch.insert(place, document(100, source="http://other"))
            assert store.insert(batch) == Inserted(new=20, present=1)
            assert store.insert(batch) == Inserted(new=0, present=21)
            assert store.get(document(100).id) == document(100)
            assert store.count() == 21

    def test_when_it_was_inserted_is_read_back_in_utc(self, settings: Settings) -> None:
        prepare(settings)
        told = document(1).inserted
        with open_store(settings, "demo") as store:
            store.insert([document(1, inserted=told.astimezone(KATHMANDU) + timedelta(milliseconds=1))])
            read = store.get(document(1).id).inserted
        assert read == told + timedelta(milliseconds=1)
        assert read.tzinfo is UTC

    def test_an_id_that_is_there_is_success_and_changes_nothing(self, settings: Settings) -> None:
        prepare(settings)
        with open_store(settings, "demo") as store:
            store.insert(documents(1))
            later = document(1, image="", source="http://other", inserted=datetime(2030, 1, 1, tzinfo=UTC))
            assert store.insert([document(2), later, document(3)]) == Inserted(new=2, present=1)
            assert store.get(document(1).id) == document(1)
            assert store.count() == 3

    def test_an_id_twice_in_one_batch_is_the_first(self, settings: Settings) -> None:
        prepare(settings)
        with open_store(settings, "demo") as store:
            assert store.insert([document(1), document(1, source="http://other")]) == Inserted(new=1, present=1)
            assert store.get(document(1).id) == document(1)

    def test_nothing_is_inserted(self, settings: Settings) -> None:
        prepare(settings)
        with open_store(settings, "demo") as store:
            assert store.insert([]) == Inserted(new=0, present=0)
            assert store.count() == 0

    def test_an_id_that_is_not_there(self, settings: Settings) -> None:
        prepare(settings)
        with open_store(settings, "demo") as store:
            store.insert(documents(1))
            for missing in ("", document(2).id, document(1).id[:-1], document(1).id.upper(), "%", "'\0"):
                with pytest.raises(NotFound):
                    store.get(missing)

    def test_many_come_in_the_order_asked_without_the_missing(self, settings: Settings) -> None:
        prepare(settings)
        with open_store(settings, "demo") as store:
            store.insert(documents(1, 2, 3))
            asked = (document(number).id for number in (3, 9, 1, 3))
            assert list(store.get_many(asked)) == documents(3, 1, 3)

    def test_ids_are_sorted_however_many_they_are(self, settings: Settings) -> None:
        prepare(settings)
        many = [document(0, id=sha256(str(number).encode()).hexdigest(), image="") for number in range(2500)]
        with open_store(settings, "demo") as store:
            store.insert(many)
            assert list(store.ids()) == sorted(one.id for one in many)

    def test_ids_may_be_asked_for_while_others_are_read_and_inserted(self, settings: Settings) -> None:
        prepare(settings)
        with open_store(settings, "demo") as store:
            store.insert(documents(1, 2, 3))
            read = set()
            for number, id_ in enumerate(store.ids()):
                read.add(store.get(id_).id)
                insert(settings, [10 + number])
            assert {document(number).id for number in (1, 2, 3)} <= read

    def test_a_store_that_was_never_prepared_reads_as_empty_and_stays_away(self, settings: Settings) -> None:
        with open_store(settings, "demo") as store:
            assert store.count() == 0
            assert list(store.ids()) == []
            assert list(store.get_many([document(1).id])) == []
            with pytest.raises(NotFound):
                store.get(document(1).id)
            with pytest.raises(StorageError, match="never prepared"):
                store.insert(documents(1))
            # Another prepares it now: this one sees it.
            prepare(settings)
            insert(settings, [1])
            assert store.count() == 1

    def test_a_value_that_is_none_is_a_fault_and_not_passed_over(self, settings: Settings) -> None:
        prepare(settings)
        with open_store(settings, "demo") as store:
            with pytest.raises(StorageError, match="format"):
                store.insert([document(1), document(2, format=None)])
            assert store.count() == 0
            assert store.insert(documents(1)).new == 1

    def test_preparing_again_changes_nothing(self, settings: Settings) -> None:
        prepare(settings)
        insert(settings, [1])
        prepare(settings)
        with open_store(settings, "demo") as store:
            assert store.get(document(1).id) == document(1)

    def test_a_picture_of_another_client_is_refused_with_all_that_come_with_it(self, settings: Settings) -> None:
        prepare(settings)
        with open_store(settings, "demo") as store:
            with pytest.raises(StorageError, match="acme"):
                store.insert([document(1), document(2, client="acme")])
            assert store.count() == 0

    def test_clients_share_nothing(self, settings: Settings) -> None:
        prepare(settings)
        prepare(settings, "acme")
        insert(settings, [1])
        with open_store(settings, "acme") as store:
            assert store.count() == 0

    @pytest.mark.parametrize("client", ["", ".", "..", "../demo", "a/b", "/etc", "demo\0", "DEMO", "$where"])
    def test_what_is_no_clients_id_has_no_store(self, settings: Settings, client: str) -> None:
        with pytest.raises(ConfigError):
            open_store(settings, client, prepare=True)

    def test_closing_twice_is_closing(self, settings: Settings) -> None:
        prepare(settings)
        store = open_store(settings, "demo")
        store.insert(documents(1))
        store.close()
        store.close()
        with open_store(settings, "demo") as again:
            assert again.count() == 1

    def test_the_picture_itself_is_not_told(self) -> None:
        assert document(1).image not in repr(document(1))
        assert document(1).id in repr(document(1))

    def test_many_processes_prepare_and_insert_the_same_at_once(self, settings: Settings) -> None:
        shares = [list(range(start, start + 80)) for start in (0, 40, 80, 0)]
        with ProcessPoolExecutor(4, mp_context=PROCESSES) as pool:
            list(pool.map(prepare, [settings] * 8))
            done = list(pool.map(partial(insert, settings), shares))
        assert sum(one.new for one in done) == 160
        assert sum(one.new + one.present for one in done) == 320
        with open_store(settings, "demo") as store:
            assert list(store.get_many(document(number).id for number in range(160))) == documents(*range(160))
            assert store.count() == 160

    def test_a_killed_writer_leaves_all_that_it_told_of_and_nothing_half(self, settings: Settings) -> None:
        prepare(settings)
        told = 0
        for told_before in random.Random(7).sample(range(1, 40), 3):
            with process(insert_and_tell, settings) as (writer, ear):
                for _ in range(told_before):
                    told = max(told, ear.recv())
                writer.kill()
                writer.join()
            with open_store(settings, "demo") as store:
                kept = list(store.get_many(document(number).id for number in range(told + 10 * BATCH)))
                assert kept == documents(*range(len(kept)))
                assert len(kept) >= told
                assert store.count() == len(kept)
        # Whoever comes next goes on from there.
        assert insert(settings, range(told + 10 * BATCH)).present == len(kept)
