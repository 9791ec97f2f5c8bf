"""A star stands for any text, and no text makes it take long."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chargeback.attribution.star_pattern import StarPattern


def by_regular_expression(pattern: str, text: str) -> bool:
    """The same by other means."""
    return bool(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL))


@given(
    st.text("ab*", min_size=1, max_size=8).filter(lambda text: "*" in text),
    st.text("ab", max_size=12),
)
@example("ab*ba", "aba")
@example("*a*a*", "a")
@example("**", "")
def test_it_matches_as_a_regular_expression_does(pattern: str, text: str) -> None:
    assert StarPattern.read(pattern).matches(text) is by_regular_expression(pattern, text)


WORDS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1)


@given(WORDS, st.text(), WORDS)
def test_every_other_character_stands_for_itself(before: str, any_text: str, after: str) -> None:
    before, after = before.replace("*", "?"), after.replace("*", "[a-z]")
    pattern = StarPattern.read(f"{before}*{after}")
    assert pattern.matches(before + any_text + after)
    assert not pattern.matches(f"\0{before}{after}\0")
    assert pattern.literals == len(before) + len(after)


@pytest.mark.parametrize("stars", [2, 30, 500])
def test_many_stars_over_a_long_text_take_no_time(stars: int) -> None:
    pattern = StarPattern.read("*a" * stars + "*b")
    started = time.perf_counter()
    assert not pattern.matches("a" * 20_000)
    assert time.perf_counter() - started < 1
