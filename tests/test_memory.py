"""What is remembered is worked out once, and nobody waits for what others ask."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from chargeback.memory import Memory

SECONDS = 20
"""Longer than any of these takes."""


def test_who_asks_for_the_same_waits_and_who_asks_for_another_does_not() -> None:
    memory, begun, go_on, done = Memory(), Event(), Event(), []

    def slowly() -> str:
        begun.set()
        assert go_on.wait(SECONDS)
        done.append("slow")
        return "slow"

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(memory.of, "slow", slowly)
        assert begun.wait(SECONDS)
        second = pool.submit(memory.of, "slow", slowly)
        assert pool.submit(memory.of, "other", lambda: "other").result(SECONDS) == "other"
        assert not done
        go_on.set()
        assert first.result(SECONDS) == second.result(SECONDS) == "slow"
    assert done == ["slow"]


def test_things_made_of_each_other_are_made_by_many_at_once() -> None:
    memory, together, done = Memory(), Barrier(8), []

    def number(n: int) -> int:
        done.append(n)
        return (
            n
            if n < 2
            else memory.of(n - 1, lambda: number(n - 1)) + memory.of(n - 2, lambda: number(n - 2))
        )

    def ask(n: int) -> int:
        together.wait(SECONDS)
        return memory.of(n, lambda: number(n))

    with ThreadPoolExecutor(8) as pool:
        assert next(pool.map(ask, range(30, 22, -1))) == 832_040
    assert sorted(done) == list(range(31))


def test_what_could_not_be_made_is_made_by_the_next_who_asks() -> None:
    memory = Memory()
    with pytest.raises(ZeroDivisionError):
        memory.of("a", lambda: 1 // 0)
    assert memory.of("a", lambda: 1) == 1


def test_the_least_used_goes_first_when_there_is_too_much() -> None:
    memory, done = Memory(10, size=len), list[str]()

    def ask(key: str, size: int = 4) -> str:
        def make() -> str:
            done.append(key)
            return key * size

        return memory.of(key, make)

    for key in ("a", "b", "a", "c", "a", "b"):
        ask(key)
    assert done == ["a", "b", "c", "b"]
    ask("d", size=11)  # which is more than all that may stay
    ask("d")
    assert done[4:] == ["d", "d"]
