"""Places and memory."""

from __future__ import annotations

import random

from spark_jobs.web.places import Buffer, Places


def _begun(places: Places[str]) -> list[str]:
    """Who was given a place since this was asked last."""
    begun = list(places.admitted)
    places.admitted.clear()
    return begun


def test_so_many_in_all_and_so_many_at_a_host() -> None:
    places: Places[str] = Places(5, 3)
    for host in "aaaaaaaaaabbbbbbbbbb":
        places.come(host, host)
    inside: list[str] = []
    most = {"a": 0, "b": 0, "all": 0}
    served = 0
    while begun := _begun(places):
        inside += begun
        now = {"a": inside.count("a"), "b": inside.count("b"), "all": len(inside)}
        assert now["a"] <= 3
        assert now["b"] <= 3
        most = {name: max(most[name], now[name]) for name in most}
        places.leave(inside.pop(0))
        served += 1
    while inside:
        places.leave(inside.pop(0))
        served += 1
        inside += _begun(places)
    assert (served, most) == (20, {"a": 3, "b": 3, "all": 5})
    assert places._free == 5
    assert not places._taken


def test_who_waits_for_a_full_host_keeps_nothing_from_others() -> None:
    places: Places[str] = Places(2, 1)
    for name in ("a1", "a2", "a3", "b1", "b2"):
        places.come(name[0], name)
    assert _begun(places) == ["a1", "b1"]
    places.leave("b")
    assert _begun(places) == ["b2"]
    places.leave("a")
    assert _begun(places) == ["a2"]
    places.leave("a")
    assert _begun(places) == ["a3"]


def test_who_moves_keeps_the_place_and_goes_before_those_who_come() -> None:
    places: Places[str] = Places(2, 1)
    for name in ("a1", "b1", "a2", "b2", "c1"):
        places.come(name[0], name)
    assert _begun(places) == ["a1", "b1"]
    places.move("a", "c", "a1")
    assert _begun(places) == ["a1"]  # still one of two: nobody else may begin
    places.move("b", "c", "b1")
    assert _begun(places) == ["a2"]  # there is room at a, while b1 waits for c
    places.leave("c")
    assert _begun(places) == ["b1"]
    places.leave("a")
    assert _begun(places) == ["b2"]
    places.leave("b")
    places.leave("c")
    assert _begun(places) == ["c1"]
    places.leave("c")
    assert places._free == 2
    assert not places._taken


def test_who_moves_within_a_host_just_goes_on() -> None:
    places: Places[str] = Places(2, 1)
    places.come("a", "a1")
    places.come("a", "a2")
    assert _begun(places) == ["a1"]
    places.move("a", "a", "a1")
    assert _begun(places) == ["a1"]
    places.leave("a")
    assert _begun(places) == ["a2"]


def test_whatever_comes_moves_and_leaves_places_are_kept_count_of() -> None:
    chance = random.Random(7)
    places: Places[int] = Places(6, 2)
    at: dict[int, str] = {}
    wanted: dict[int, str] = {}
    for step in range(5000):
        what = chance.random()
        if what < 0.4 and len(wanted) < 30:
            wanted[step] = chance.choice("abcdef")
            places.come(wanted[step], step)
        elif at:
            who = chance.choice(sorted(at))
            host = at.pop(who)
            if what < 0.7:
                wanted[who] = chance.choice("abcdef")
                places.move(host, wanted[who], who)
            else:
                places.leave(host)
        while places.admitted:
            who = places.admitted.popleft()
            at[who] = wanted.pop(who)
        hosts = list(at.values())
        assert len(hosts) <= 6
        assert all(hosts.count(host) <= 2 for host in hosts)
        if len(hosts) < 6:  # then nobody waits who could begin
            assert all(hosts.count(host) == 2 for host in wanted.values())


def test_memory_is_had_in_turn_and_never_beyond_capacity() -> None:
    buffer: Buffer[str] = Buffer(100)
    assert buffer.take(60, "first")
    assert not buffer.take(100, "large")
    assert not buffer.take(1, "small")  # it does not overtake the large one
    assert not buffer.take(1, "last")
    buffer.forget(100, "large")
    assert list(buffer.admitted) == ["small", "last"]
    buffer.admitted.clear()
    assert not buffer.take(100, "huge")
    buffer.give(61)
    assert not buffer.admitted
    buffer.give(1)
    assert list(buffer.admitted) == ["huge"]
    assert buffer._free == 0


def test_memory_given_to_one_who_is_gone_at_that_moment_is_not_lost() -> None:
    buffer: Buffer[str] = Buffer(10)
    assert buffer.take(10, "first")
    assert not buffer.take(10, "second")
    assert not buffer.take(10, "third")
    buffer.give(10)
    buffer.forget(10, "second")
    assert list(buffer.admitted) == ["third"]
    buffer.give(10)
    assert buffer._free == 10
