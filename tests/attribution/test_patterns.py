"""Patterns of the rules: what they take out of a text, how fast, and what is refused."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.attribution.patterns import compiled, value_in

VALUE = "(?P<value>x)"


@pytest.mark.parametrize(
    ("pattern", "text", "value"),
    [
        ("^tenant-(?P<value>.+)$", "tenant-acme", "acme"),
        ("^tenant-(?P<value>.+)$", "Tenant-acme", ""),
        ("(?i)^tenant-(?P<value>.+)$", "Tenant-acme", "acme"),
        ("-(?P<value>[^-]+)-", "a-検索-b", "検索"),
        ("^(?P<value>x)?a", "a", ""),
        ("(?<value>x)", "axa", "x"),
        ("(?P<value>.*)", "", ""),
        (r"é(?P<value>.)", "né\U0001f600", "\U0001f600"),
    ],
)
def test_the_group_is_the_value(pattern: str, text: str, value: str) -> None:
    assert value_in(pattern, text) == value


@given(st.text(max_size=30))
def test_it_takes_what_pythons_own_takes(text: str) -> None:
    pattern = "(?s)-(?P<value>.*?)(?:/|$)"
    found = re.search(pattern.replace("$", r"\Z"), text)
    assert value_in(pattern, text) == (found["value"] if found else "")


@pytest.mark.parametrize("text", ["a" * 64 + "!", "a" * 100_000 + "!"])
@pytest.mark.parametrize(
    "pattern", ["^(?P<value>(a+)+)$", "^(?P<value>(a|a)*)$", "^(?P<value>(.*a){20})$"]
)
def test_no_text_holds_it_up(pattern: str, text: str) -> None:
    compiled(pattern)
    started = time.perf_counter()
    assert value_in(pattern, text) == ""
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(", "not a regular expression of RE2's syntax: missing"),
        ("x", r"one group named value: \(\?P<value>…\)"),
        (f"{VALUE}|y{VALUE}", "one group named value"),
        *(
            (f"{look}x){VALUE}", "looks ahead or behind.*")
            for look in ("(?=", "(?!", "(?<=", "(?<!")
        ),
        (rf"{VALUE}\1", "refers back"),
        (f"{VALUE}(?P=value)", "refers back"),
        (f"(?>a){VALUE}", "forbids trying again"),
        (f"a++{VALUE}", "forbids trying again"),
        (rf"{VALUE}\Z", r"written \$"),
        ("(?P<value>x{2000})", "invalid repetition size"),
    ],
)
def test_what_is_refused_says_how_to_write_it(
    pattern: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=said):
        compiled(pattern)
    assert capfd.readouterr() == ("", "")
