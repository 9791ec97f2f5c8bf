"""Values spelled in several ways are one; what tags and owner lists say beside what decided."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from chargeback.attribution.attribution import Decision, attribute
from chargeback.attribution.identity import Identity
from chargeback.attribution.rules import AttributionRules
from chargeback.dimensions import UNALLOCATED

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
TAG = "iamPrincipal/team"


def team(rules: AttributionRules, **tags: str) -> Decision:
    identity = Identity(ACCOUNT, ROLE, {f"iamPrincipal/{key}": tags[key] for key in tags})
    return attribute(rules, identity)[0][2]["team"]


def rules(*sources: object, merge: object = None) -> AttributionRules:
    return AttributionRules.model_validate({"team": list(sources), "merge": merge or {}})


MERGE = {"team": {"Team-A": ["team_a ", "TEAM A"]}}


@pytest.mark.parametrize("spelled", MERGE["team"]["Team-A"])
def test_another_spelling_is_the_value_and_the_source_says_so(spelled: str) -> None:
    merged = rules(TAG, merge=MERGE)
    assert team(merged, team=spelled) == Decision("Team-A", f"{TAG} (merged)")
    assert team(rules(TAG), team=spelled) == Decision(spelled, TAG)


@pytest.mark.parametrize("value", ["Team-A", "team_a", "team-b"])
def test_what_no_rule_names_stays_as_it_is(value: str) -> None:
    assert team(rules(TAG, merge=MERGE), team=value) == Decision(value, TAG)


def test_every_kind_of_source_is_merged() -> None:
    by_account = rules({"account": {ACCOUNT: "TEAM A"}}, merge=MERGE)
    assert team(by_account) == Decision("Team-A", "account (merged)")


def test_a_dimension_is_merged_by_its_own_rule() -> None:
    of_tenants = rules(TAG, merge={"tenant": {"Team-A": ["TEAM A"]}})
    assert team(of_tenants, team="TEAM A") == Decision("TEAM A", TAG)


def test_merging_is_a_policy_and_none_is_no_change() -> None:
    plain, merged = rules(TAG), rules(TAG, merge=MERGE)
    assert merged.fingerprint() != plain.fingerprint()
    assert rules(TAG, merge={"team": {"Team-A": ["TEAM A"]}}).fingerprint() not in (
        merged.fingerprint(),
        plain.fingerprint(),
    )
    assert merged.describe()["merge"] == MERGE
    assert "merge" not in plain.describe()


@pytest.mark.parametrize(
    ("merge", "said"),
    [
        ({"model": {"a": ["b"]}}, "model can't be merged"),
        ({"team": {"a": ["x"], "b": ["x"]}}, "spelling of both 'a' and 'b'"),
        ({"team": {"a": ["b"], "b": ["c"]}}, "'b' is a value itself"),
        ({"team": {"a": ["a"]}}, "'a' is a value itself"),
        ({"team": {" ": ["a"]}}, "names nobody"),
        ({"team": {UNALLOCATED: ["a"]}}, "names nobody"),
    ],
)
def test_what_could_mean_two_things_is_refused(merge: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        rules(TAG, merge=merge)


def owners(folder: Path, *rows: str) -> dict[str, Path]:
    file = folder / "owners.csv"
    file.write_text("\n".join(("iam_principal,team,effective_from", *rows)), "utf-8")
    return {"owners": file}


def test_an_owner_list_that_says_otherwise_is_heard(tmp_path: Path) -> None:
    listed = owners(tmp_path, f"{ROLE},ads,")
    first, second = team(rules(TAG, listed), team="shop"), team(rules(listed, TAG), team="shop")
    assert (first.value, first.others) == ("shop", (("owner list", "ads"),))
    assert (second.value, second.others) == ("ads", ((TAG, "shop"),))
    assert team(rules(TAG, listed), team="ads").others == ()
    merged = rules(TAG, listed, merge={"team": {"ads": ["shop"]}})
    assert team(merged, team="shop").others == ()


def test_what_holds_for_a_whole_account_disagrees_with_nobody(tmp_path: Path) -> None:
    for fallback in ("account", "accountTag/team", {"account": {ACCOUNT: "x"}}):
        by_tag = rules(TAG, fallback, owners(tmp_path, f"{ROLE},shop,"))
        identity = Identity(ACCOUNT, ROLE, {TAG: "shop", "accountTag/team": "x"})
        assert attribute(by_tag, identity)[0][2]["team"].others == ()


def test_it_is_heard_on_the_days_on_which_it_holds(tmp_path: Path) -> None:
    listed = owners(tmp_path, f"{ROLE},ads,2026-10-15")
    found = attribute(rules(TAG, listed), Identity(ACCOUNT, ROLE, {TAG: "shop"}))
    heard = {start: decided["team"].others for start, _, decided in found}
    assert heard == {date.min: (), date(2026, 10, 15): (("owner list", "ads"),)}


def test_a_tag_without_a_value_is_told_from_none() -> None:
    assert team(rules(TAG), Team=" ").is_blank
    assert team(rules(TAG), team=UNALLOCATED).is_blank
    assert not team(rules(TAG)).is_blank
    assert not team(rules(TAG), other="").is_blank
    assert not team(rules(TAG), team="shop").is_blank
    assert not team(rules(TAG, "account"), team="").is_blank
