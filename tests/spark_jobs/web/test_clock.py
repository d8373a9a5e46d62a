"""Time, on a clock that is moved by hand."""

from __future__ import annotations

import math

import pytest

from spark_jobs.web.clock import Clock, Stopwatch


class _Hand:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_clock_stands_still_while_the_caller_is_busy() -> None:
    hand = _Hand()
    clock = Clock(hand)
    for _ in range(2):
        clock.halt()
        hand.now += 50
        assert clock.now() == 1000
    clock.go_on()
    clock.go_on()
    hand.now += 3
    assert clock.now() == 1003


def test_a_stopwatch_ends_an_attempt() -> None:
    hand = _Hand()
    watch = Stopwatch(Clock(hand), 5)
    hand.now += 4
    assert (watch.spent, watch.left) == (4, 1)
    hand.now += 2
    assert watch.left == -1


def test_a_stopwatch_stands_still_while_we_wait_for_ourselves() -> None:
    hand = _Hand()
    watch = Stopwatch(Clock(hand), 5)
    hand.now += 4
    for _ in range(2):
        watch.halt()
        hand.now += 50
        assert (watch.spent, watch.left) == (4, math.inf)
    watch.go_on()
    watch.go_on()
    hand.now += 0.9
    assert watch.spent == pytest.approx(4.9)
    hand.now += 0.2
    assert watch.left == pytest.approx(-0.1)


def test_time_of_a_busy_caller_while_we_wait_for_ourselves_is_counted_out_once() -> None:
    hand = _Hand()
    clock = Clock(hand)
    watch = Stopwatch(clock, 5)
    hand.now += 1
    watch.halt()
    hand.now += 10
    clock.halt()
    hand.now += 100
    clock.go_on()
    hand.now += 10
    watch.go_on()
    hand.now += 1
    assert (watch.spent, watch.left) == (2, 3)
