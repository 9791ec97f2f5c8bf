"""Whose a line is: the first non-empty source wins, and says which it was."""

from __future__ import annotations

import json
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chargeback.attribution.attribution import Decision, attribute
from chargeback.attribution.identity import Identity, identity_of, merge_tags
from chargeback.attribution.rules import NAMES, AttributionRules
from chargeback.dimensions import UNALLOCATED
from chargeback.errors import UsageProblem

ACCOUNT = "111122223333"
GATEWAY = f"arn:aws:sts::{ACCOUNT}:assumed-role/llm-gateway/tenant-acme"


def team(rules: AttributionRules, tags: dict[str, str], on: date = date(2026, 10, 1)) -> Decision:
    intervals = attribute(rules, Identity(ACCOUNT, GATEWAY, tags))
    (decided,) = (found for start, end, found in intervals if start <= on < end)
    return decided["team"]


def rules(*sources: object) -> AttributionRules:
    return AttributionRules.model_validate({"team": list(sources)})


def test_defaults_read_the_principal_tags() -> None:
    tags = {f"iamPrincipal/{name.replace('_', '-')}": name.upper() for name in NAMES}
    ((_, _, decided),) = attribute(AttributionRules(), Identity(ACCOUNT, "", tags))
    assert {name: decided[name].value for name in NAMES} == {name: name.upper() for name in NAMES}


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"resourceTags/team": "x"},
        *({"iamPrincipal/team": value} for value in ("", " ", "\t\n", UNALLOCATED)),
    ],
)
def test_nothing_decides(tags: dict[str, str]) -> None:
    assert team(AttributionRules(), tags) == Decision(UNALLOCATED, "")


def test_keys_match_in_any_case_and_the_exact_one_first() -> None:
    assert team(AttributionRules(), {"iamPrincipal/Team": "a"}).value == "a"
    both = {"iamPrincipal/Team": "a", "iamPrincipal/team": "b"}
    assert team(AttributionRules(), both).value == "b"


@pytest.mark.parametrize("nobody", ["", " ", UNALLOCATED])
def test_a_value_that_names_nobody_leaves_the_next_spelling_and_source_their_turn(
    nobody: str,
) -> None:
    spelled = {"iamPrincipal/team": nobody, "iamPrincipal/Team": "a"}
    assert team(AttributionRules(), spelled) == Decision("a", "iamPrincipal/team")
    ordered = rules("iamPrincipal/team", {"account": {ACCOUNT: nobody}}, "account")
    assert team(ordered, {"iamPrincipal/team": nobody}) == Decision(ACCOUNT, "account (2)")


@pytest.mark.parametrize(
    "key", ["resourceTags/team", "resourceTags/user_Team", "resourceTags/user:team"]
)
def test_resource_tags_as_cur_spells_them(key: str) -> None:
    assert team(rules("resourceTags/team"), {key: "x"}) == Decision("x", "resourceTags/team")


def test_the_first_source_with_a_value_wins() -> None:
    ordered = rules(
        "iamPrincipal/team",
        {"pattern": "^tenant-(?P<value>.+)$", "on": "session"},
        {"account": {ACCOUNT: "payments"}},
        "account",
    )
    assert team(ordered, {"iamPrincipal/team": "a"}) == Decision("a", "iamPrincipal/team")
    assert team(ordered, {}) == Decision("acme", "pattern on session")
    assert team(rules({"account": {ACCOUNT: "payments"}}), {}) == Decision("payments", "account")
    assert team(rules("account"), {}) == Decision(ACCOUNT, "account")


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
    assert team(listed, {}, date(2026, 10, 14)) == Decision("old", "owner list")
    assert team(listed, {}, date(2026, 10, 15)) == Decision("new", "owner list")


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
        *({"pattern": "("}, {"pattern": "(x)"}, {"pattern": "x", "on": "y"}, {"z": 1}, 1, None),
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


def test_of_several_sources_of_a_kind_each_has_a_name_of_its_own(tmp_path: Path) -> None:
    listed = owners(tmp_path, "iam_principal,team", "arn:aws:iam::*:role/nobody,x")
    session, role = ({"pattern": "(?P<value>x)", "on": on} for on in ("session", "role"))
    map_ = {"account": {ACCOUNT: "x"}}
    ordered = rules("iamPrincipal/team", session, role, session, listed, listed, map_, "account")
    assert ordered.labels("team") == [
        "iamPrincipal/team",
        "pattern on session",
        "pattern on role",
        "pattern on session (2)",
        "owner list",
        "owner list (2)",
        "account",
        "account (2)",
    ]


def test_the_second_of_a_kind_is_named_where_it_decides() -> None:
    ordered = rules({"pattern": "^x(?P<value>.)"}, {"pattern": "^tenant-(?P<value>.+)$"})
    assert team(ordered, {}) == Decision("acme", "pattern on session (2)")


@pytest.mark.parametrize(
    ("on", "value"),
    [
        ("session", "tenant-acme"),
        ("role", "llm-gateway"),
        ("principal", GATEWAY),
        ("resource", "runtime/search"),
    ],
)
def test_a_pattern_is_matched_against_what_it_is_set_on(on: str, value: str) -> None:
    ordered = rules({"pattern": "^(?P<value>.+)$", "on": on})
    ((_, _, found),) = attribute(ordered, Identity(ACCOUNT, GATEWAY, {}, "runtime/search"))
    assert found["team"] == Decision(value, f"pattern on {on}")
    assert ordered.reads_resources is (on == "resource")


def test_without_a_principal_the_resource_can_decide() -> None:
    ordered = rules({"pattern": "/(?P<value>.+)$", "on": "resource"}, "account")
    resources = ("runtime/search", "")
    found = [attribute(ordered, Identity(ACCOUNT, "", {}, each))[0][2] for each in resources]
    assert [each["team"].value for each in found] == ["search", ACCOUNT]


def test_each_dimension_asks_the_rows_that_name_it(tmp_path: Path) -> None:
    listed = owners(
        tmp_path,
        "iam_principal,usage_account_id,team,project",
        f",{ACCOUNT},platform,shared",
        "arn:aws:iam::*:role/llm-gateway,,gateway,",
    )
    both = AttributionRules.model_validate({"team": [listed], "project": [listed]})
    ((_, _, found),) = attribute(both, Identity(ACCOUNT, GATEWAY, {}))
    assert (found["team"].value, found["project"].value) == ("gateway", "shared")
    assert found["team"].owner is not None
    assert (found["team"].owner.row.line, found["team"].owner.first.line) == (3, 2)
    assert found["tenant"] == Decision(UNALLOCATED, "")


def test_rows_that_contradict_each_other_are_refused_even_while_a_tag_decides(
    tmp_path: Path,
) -> None:
    listed = owners(tmp_path, "iam_principal,team", "*llm-gateway,a", "arn:aws:iam*,b")
    with pytest.raises(UsageProblem, match=f"lines 2 and 3 .* for {GATEWAY} in account {ACCOUNT}"):
        team(rules("iamPrincipal/team", listed), {"iamPrincipal/team": "c"})


@given(st.dictionaries(st.sampled_from(["tags", "resource_tags", "cost_category"]), st.text()))
def test_an_identity_is_read_as_billed(values: dict[str, str]) -> None:
    maps = {
        key: json.dumps({"k": values[key]} if key in values else {"k": None})
        for key in ("tags", "resource_tags", "cost_category")
    }
    row = {"usage_account_id": ACCOUNT, "iam_principal": GATEWAY, **maps}
    assert identity_of(row) == Identity(
        ACCOUNT,
        GATEWAY,
        {
            "k": values.get("tags", ""),
            "resourceTags/k": values.get("resource_tags", ""),
            "costCategory/k": values.get("cost_category", ""),
        },
    )
    assert identity_of({**row, "resource_id": "r"}).resource_id == "r"
