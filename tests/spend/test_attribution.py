"""Whose a line is: the first non-empty source wins, and says which it was."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chargeback.errors import UsageProblem
from chargeback.spend.attribution import (
    DIMENSIONS,
    UNALLOCATED,
    Attributed,
    AttributionRules,
    Identity,
    attribute,
    merge_tags,
)

ACCOUNT = "111122223333"
GATEWAY = f"arn:aws:sts::{ACCOUNT}:assumed-role/llm-gateway/tenant-acme"


def team(rules: AttributionRules, tags: dict[str, str], on: date = date(2026, 10, 1)) -> Attributed:
    intervals = attribute(rules, Identity(ACCOUNT, GATEWAY, tags))
    (decided,) = (found for start, end, found in intervals if start <= on < end)
    return decided["team"]


def rules(*sources: object) -> AttributionRules:
    return AttributionRules.model_validate({"team": list(sources)})


def test_defaults_read_the_principal_tags() -> None:
    tags = {f"iamPrincipal/{name.replace('_', '-')}": name.upper() for name in DIMENSIONS}
    ((_, _, decided),) = attribute(AttributionRules(), Identity(ACCOUNT, "", tags))
    assert {name: decided[name].value for name in DIMENSIONS} == {
        name: name.upper() for name in DIMENSIONS
    }


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"resourceTags/team": "x"},
        *({"iamPrincipal/team": value} for value in ("", " ", "\t\n", UNALLOCATED)),
    ],
)
def test_nothing_decides(tags: dict[str, str]) -> None:
    assert team(AttributionRules(), tags) == Attributed(UNALLOCATED, "")


def test_keys_match_in_any_case_and_the_exact_one_first() -> None:
    assert team(AttributionRules(), {"iamPrincipal/Team": "a"}).value == "a"
    both = {"iamPrincipal/Team": "a", "iamPrincipal/team": "b"}
    assert team(AttributionRules(), both).value == "b"


@pytest.mark.parametrize("nobody", ["", " ", UNALLOCATED])
def test_a_value_that_names_nobody_leaves_the_next_spelling_and_source_their_turn(
    nobody: str,
) -> None:
    spelled = {"iamPrincipal/team": nobody, "iamPrincipal/Team": "a"}
    assert team(AttributionRules(), spelled) == Attributed("a", "iamPrincipal/team")
    ordered = rules("iamPrincipal/team", {"account": {ACCOUNT: nobody}}, "account")
    assert team(ordered, {"iamPrincipal/team": nobody}) == Attributed(ACCOUNT, "account (2)")


@pytest.mark.parametrize(
    "key", ["resourceTags/team", "resourceTags/user_Team", "resourceTags/user:team"]
)
def test_resource_tags_as_cur_spells_them(key: str) -> None:
    assert team(rules("resourceTags/team"), {key: "x"}) == Attributed("x", "resourceTags/team")


def test_the_first_source_with_a_value_wins() -> None:
    ordered = rules(
        "iamPrincipal/team",
        {"pattern": "^tenant-(?P<value>.+)$", "on": "session"},
        {"account": {ACCOUNT: "payments"}},
        "account",
    )
    assert team(ordered, {"iamPrincipal/team": "a"}) == Attributed("a", "iamPrincipal/team")
    assert team(ordered, {}) == Attributed("acme", "pattern on session")
    assert team(rules({"account": {ACCOUNT: "payments"}}), {}) == Attributed("payments", "account")
    assert team(rules("account"), {}) == Attributed(ACCOUNT, "account")


def owners(folder: Path, *lines: str) -> dict[str, Path]:
    path = folder / "owners.csv"
    path.write_text("\n".join(lines), "utf-8-sig")
    return {"owners": path}


def test_an_owner_list_counts_from_its_date(tmp_path: Path) -> None:
    listed = rules(
        owners(
            tmp_path,
            "iam_principal,usage_account_id,team,effective_from,effective_to",
            "arn:aws:iam::*:role/llm-gateway,,old,,2026-10-15",
            f",{ACCOUNT},new,2026-10-15,",
        )
    )
    assert team(listed, {}, date(2026, 10, 14)) == Attributed("old", "owner list")
    assert team(listed, {}, date(2026, 10, 15)) == Attributed("new", "owner list")


def test_every_fault_of_an_owner_list_is_named(tmp_path: Path) -> None:
    listed = rules(
        owners(tmp_path, "iam_principal,team,effective_from", ",x,", "a,y,yesterday", "a,z,")
    )
    with pytest.raises(UsageProblem, match=r"line 2: .*; line 3: "):
        team(listed, {})


@pytest.mark.parametrize(
    "source",
    [
        *("team", "/team", "iamPrincipal/", ""),
        *({"pattern": "("}, {"pattern": "(x)"}, {"pattern": "x", "on": "y"}, {"z": 1}),
    ],
)
def test_a_wrong_source_is_refused(source: object) -> None:
    with pytest.raises(ValidationError):
        rules(source)


@given(st.dictionaries(st.text(), st.text()), st.lists(st.dates(), max_size=4))
def test_intervals_cover_all_time_once(tags: dict[str, str], days: list[date]) -> None:
    intervals = attribute(AttributionRules(), Identity(ACCOUNT, GATEWAY, tags))
    assert (intervals[0][0], intervals[-1][1]) == (date.min, date.max)
    assert all(a[1] == b[0] for a, b in pairwise(intervals))
    assert all(
        sum(start <= day < end for start, end, _ in intervals) == 1
        for day in days
        if day < date.max
    )


def test_tags_win_over_the_older_maps() -> None:
    merged = merge_tags({"resourceTags/a": "new"}, {"a": "old", "user_b": "x"}, {"c": "y"})
    assert merged == {"resourceTags/a": "new", "resourceTags/user_b": "x", "costCategory/c": "y"}
