"""Places, memory and time, on an event loop whose clock jumps to the next timer."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

import pytest

from spark_jobs.web.places import Buffer, Places, Stopwatch


class _Jumping(selectors.SelectSelector):
    """Instead of waiting, time passes."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "everything waits for ever"
        self.now += timeout
        return super().select(0)


def run(main: Coroutine[Any, Any, None]) -> None:
    clock = _Jumping()

    def loop() -> asyncio.AbstractEventLoop:
        made = asyncio.SelectorEventLoop(clock)
        made.time = lambda: clock.now  # type: ignore[method-assign]
        return made

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main)


def test_a_stopwatch_ends_an_attempt() -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with Stopwatch(5):
                await asyncio.sleep(6)

    run(main())


def test_a_stopwatch_stands_still_while_we_wait_for_ourselves() -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with Stopwatch(5) as watch:
                await asyncio.sleep(4)
                await watch.halted(asyncio.sleep(100))
                assert watch.spent == pytest.approx(4)
                await asyncio.sleep(0.9)
                assert watch.spent == pytest.approx(4.9)
                await asyncio.sleep(0.2)

    run(main())


def test_so_many_in_all_and_so_many_at_a_host() -> None:
    now: dict[str, int] = {"a": 0, "b": 0}
    most: dict[str, int] = {"a": 0, "b": 0, "all": 0}

    async def visit(places: Places, host: str) -> None:
        async with Stopwatch(1.5) as watch, places.at(host, watch):
            now[host] += 1
            most[host], most["all"] = max(most[host], now[host]), max(most["all"], sum(now.values()))
            await asyncio.sleep(1)
            now[host] -= 1

    async def main() -> None:
        places = Places(5, 3)
        await asyncio.gather(*(visit(places, host) for host in "aaaaaaaaaabbbbbbbbbb"))
        assert not +places._taken

    run(main())
    assert most == {"a": 3, "b": 3, "all": 5}


def test_who_waits_for_a_full_host_keeps_nothing_from_others() -> None:
    order: list[str] = []

    async def visit(places: Places, name: str) -> None:
        async with Stopwatch(1.5) as watch, places.at(name[0], watch):
            order.append(name)
            await asyncio.sleep(1)

    async def main() -> None:
        places = Places(2, 1)
        await asyncio.gather(*(visit(places, name) for name in ("a1", "a2", "a3", "b1", "b2")))

    run(main())
    assert order == ["a1", "b1", "a2", "b2", "a3"]


def test_who_moves_keeps_the_place_and_goes_before_those_who_come() -> None:
    order: list[str] = []

    async def visit(places: Places, name: str, then: str) -> None:
        async with Stopwatch(2.5) as watch, places.at(name[0], watch) as place:
            await asyncio.sleep(1)
            await places.move(place, then, watch)
            order.append(f"{name} at {then}")
            await asyncio.sleep(1)

    async def main() -> None:
        places = Places(2, 1)
        ways = ("a1", "c"), ("b1", "c"), ("a2", "a"), ("b2", "b")
        await asyncio.gather(*(visit(places, name, then) for name, then in ways))
        assert places._free == 2
        assert not +places._taken

    run(main())
    assert order == ["a1 at c", "a2 at a", "b1 at c", "b2 at b"]


def test_who_is_cancelled_on_the_way_leaves_no_place_taken() -> None:
    async def main() -> None:
        places = Places(2, 1)

        async def move() -> None:
            async with Stopwatch(50) as watch, places.at("a", watch) as place:
                await places.move(place, "b", watch)

        async with Stopwatch(50) as watch, places.at("b", watch):
            moving = asyncio.create_task(move())
            await asyncio.sleep(1)
            moving.cancel()
            await asyncio.wait([moving])
        assert places._free == 2
        assert not +places._taken

    run(main())


def test_a_cancelled_visitor_leaves_no_place_taken() -> None:
    async def visit(places: Places) -> None:
        async with Stopwatch(50) as watch, places.at("a", watch):
            await asyncio.sleep(10)

    async def main() -> None:
        places = Places(2, 1)
        inside, waiting = (asyncio.create_task(visit(places)) for _ in range(2))
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.wait([waiting])
        inside.cancel()
        await asyncio.wait([inside])
        assert not +places._taken
        async with asyncio.timeout(11):
            await visit(places)

    run(main())


def test_memory_is_had_in_turn_and_never_beyond_capacity() -> None:
    taken: list[str] = []

    async def take(buffer: Buffer, name: str, size: int) -> None:
        async with Stopwatch(1) as watch:
            await buffer.take(size, watch)
            taken.append(name)

    async def main() -> None:
        buffer = Buffer(100)
        tasks = [
            asyncio.create_task(take(buffer, name, size))
            for name, size in (("first", 60), ("large", 1000), ("small", 1), ("last", 1))
        ]
        await asyncio.sleep(5)
        assert taken == ["first"]  # the small one does not overtake the large one
        tasks[1].cancel()
        await asyncio.sleep(5)
        assert taken == ["first", "small", "last"]
        huge = asyncio.create_task(take(buffer, "huge", 1000))
        await asyncio.sleep(5)
        buffer.give(61)
        await asyncio.sleep(5)
        assert not huge.done()
        buffer.give(1)
        await huge
        assert buffer._free == 0

    run(main())


def test_memory_given_to_one_who_is_cancelled_at_that_moment_is_not_lost() -> None:
    async def main() -> None:
        buffer = Buffer(10)
        await buffer.take(10, Stopwatch(1))

        async def take() -> None:
            async with Stopwatch(1) as watch:
                await buffer.take(10, watch)

        waiting = asyncio.create_task(take())
        await asyncio.sleep(1)
        buffer.give(10)
        asyncio.get_running_loop().call_soon(waiting.cancel)  # after the bytes are his, before he knows
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        assert buffer._free == 10

    run(main())
