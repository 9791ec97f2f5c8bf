"""Which callers a text names, in owner lists and in rules alike."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.attribution.owner_list import OwnerList
from chargeback.attribution.owners import OwnerRow
from chargeback.attribution.principal_pattern import (
    matches,
    names_some_sessions,
    other_wildcard,
    tidied,
)

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/search"
WITH_PATH = f"arn:aws:iam::{ACCOUNT}:role/apps/search"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/search/i-0a1b2c3d"
CHINA = f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/search/x"
SSO_ROLE = "AWSReservedSSO_Analyst_0123456789abcdef"
PERSON = f"arn:aws:sts::{ACCOUNT}:assumed-role/{SSO_ROLE}/ann@example.com"
USER = f"arn:aws:iam::{ACCOUNT}:user/build"


@pytest.mark.parametrize(
    ("pattern", "caller", "named"),
    [
        (ROLE, ROLE, True),
        (ROLE, SESSION, True),
        (SESSION, SESSION, True),
        (SESSION, ROLE, False),
        ("arn:aws:iam::*:role/search", SESSION, True),
        ("arn:aws:sts::*:assumed-role/search/*", SESSION, True),
        ("arn:aws:sts::*:assumed-role/search/*", ROLE, False),
        ("arn:aws:iam::*:role/search", CHINA, False),
        ("arn:aws-cn:iam::*:role/search", CHINA, True),
        ("arn:aws:iam::*:role/SEARCH", SESSION, False),
        ("role/search", SESSION, False),
        ("*role/search", SESSION, True),
        ("*role/sear", SESSION, False),
        (WITH_PATH, WITH_PATH, True),
        (WITH_PATH, SESSION, False),
        ("ann@example.com", PERSON, True),
        ("*@example.com", PERSON, True),
        (f"arn:aws:iam::{ACCOUNT}:role/{SSO_ROLE}", PERSON, True),
        ("arn:aws:iam::*:role/AWSReservedSSO_Analyst_*", PERSON, True),
        ("build", USER, False),
        (USER, USER, True),
        ("*", "unheard of", True),
        ("*", "", False),
        ("", "", False),
        ("", SESSION, False),
    ],
)
def test_a_text_names_a_caller_by_arn_role_or_person(
    pattern: str, caller: str, named: bool
) -> None:
    assert matches(pattern, caller) is named


PARTS = st.sampled_from(
    ["*", "arn:aws:", "iam", "sts", f"::{ACCOUNT}:", "role/", "search", "/", ""]
)
PATTERNS = st.lists(PARTS, min_size=1, max_size=6).map("".join) | st.sampled_from([ROLE, PERSON])


@given(PATTERNS.filter(bool), st.sampled_from([ROLE, SESSION, CHINA, PERSON, USER, "x", ""]))
def test_the_owner_list_finds_what_the_grammar_names(pattern: str, caller: str) -> None:
    row = OwnerRow(tidied(pattern), "", {"team": "a"}, date.min, date.max, 2)
    found = OwnerList("owners.csv", [row]).matches(ACCOUNT, caller)
    assert bool(found) is matches(pattern, caller)


@pytest.mark.parametrize("other", "?[]{}()|^$%\\")
def test_what_may_be_meant_as_another_wildcard_is_told(other: str) -> None:
    assert other_wildcard(f"arn:aws:iam::*:role/{other}") == other


@pytest.mark.parametrize("arn", [ROLE, SESSION, PERSON, USER, "arn:aws:iam::*:role/a+=,.@_-b"])
def test_no_arn_holds_one(arn: str) -> None:
    assert other_wildcard(arn) == ""


GW = f"arn:aws:sts::{ACCOUNT}:assumed-role/gw/"


@pytest.mark.parametrize(
    ("pattern", "some"),
    [
        (f"{GW}acme", True),
        (f"{GW}acme-*", True),
        (f"{GW}*@example.com", True),
        (f"{GW}**x", True),
        ("*", False),
        (f"{GW}*", False),
        (f"{GW}**", False),
        ("*assumed-role/gw*", False),
        ("*gw*", False),
        ("*acme*", True),
        ("*/a*", True),
        ("*acme", True),
        ("*/gw", False),  # its role, and so all of them
        (f"arn:aws:iam::{ACCOUNT}:role/gw", False),
        (f"arn:aws:iam::{ACCOUNT}:role/*", False),
        ("*:role/other", False),
        ("*:user/acme", False),
        (f"{GW}", False),  # a session has a name
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/gw2/*", False),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/*/acme", True),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/g*", False),
        ("arn:aws:sts::999900000001:assumed-role/gw/acme", False),
        ("arn:aws:sts::999900000001:*", False),
        ("", False),
    ],
)
def test_whether_a_text_tells_sessions_of_a_role_apart(pattern: str, some: bool) -> None:
    assert names_some_sessions(pattern, GW) == some


SHORT = st.text("a/*", max_size=5)
SESSIONS = [
    f"{GW}{first}{second}" for first in "axy" for second in ("", "a", "z", "aa", "az", "za")
]


@given(st.sampled_from(["*", GW, f"{GW}a", "*/", "*gw/", GW[:20], f"{GW[:20]}*"]), SHORT)
def test_what_tells_any_two_sessions_apart_is_known_to(beginning: str, rest: str) -> None:
    pattern = beginning + rest
    answers = {matches(pattern, session) for session in SESSIONS}
    assert names_some_sessions(pattern, GW) or len(answers) == 1
