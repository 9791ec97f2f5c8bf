"""What the bill carries of principals and tags, and what AWS lists as active, in sentences."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.attribution.rules import NAMES, AttributionRules
from chargeback.doctor import tags
from chargeback.sources.billing.cost_explorer import CostAllocationTag, CostAllocationTags

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAYS = {"first_date": date(2026, 10, 1), "last_date": date(2026, 11, 20)}


def row(has_principal: bool = True, last: date = DAYS["last_date"], **tags: str) -> dict[str, Any]:
    """One of queries/reports/tags_seen.sql; `_` stands for the slash of a key."""
    named = {key.replace("_", "/", 1): value for key, value in tags.items()}
    days = {**DAYS, "last_date": last}
    return {"tags": json.dumps(named), "has_principal": has_principal, **days}


@pytest.mark.parametrize(
    ("last", "state"), [(date(2026, 11, 13), "ok"), (date(2026, 11, 12), "warning")]
)
def test_principals_and_tags_that_are_no_longer_on_the_bill_are_said(
    last: date, state: str
) -> None:
    rows = [row(has_principal=False), row(last=last, iamPrincipal_Team="search")]
    principals, team = tags.check_tags_seen(
        rows, AttributionRules(tenant=[], project=[], cost_center=[])
    )
    assert (principals.state, team.state) == (state, state)
    assert "iamPrincipal/Team on the bill" in team.found
    assert ("but not since" in team.found) == (state == "warning")


def test_a_tag_without_a_value_is_none_and_a_resource_tag_has_several_spellings() -> None:
    rules = AttributionRules(tenant=[], project=["resourceTags/app"], cost_center=[])
    rows = [row(iamPrincipal_team="", resourceTags_user_App="chat")]
    _, team, project = tags.check_tags_seen(rows, rules)
    assert (team.state, project.state) == ("warning", "ok")
    assert team.todo.endswith("It carries: resourceTags/user_App.")


@given(st.lists(st.dictionaries(st.text(), st.text(), max_size=3), min_size=1, max_size=5))
def test_whatever_the_bill_carries_every_dimension_has_its_check(
    carried: list[dict[str, str]],
) -> None:
    rows = [{**row(), "tags": json.dumps(each)} for each in carried]
    names = [check.name for check in tags.check_tags_seen(rows, AttributionRules())]
    assert names == ["IAM principals", *(f"Tag for {name}" for name in NAMES)]


def listed(key: str, is_active: bool) -> CostAllocationTag:
    return CostAllocationTag(key, is_active, updated_on=None, used_on=None)


def known(*tags: CostAllocationTag) -> CostAllocationTags:
    return CostAllocationTags(tags, NOW)


def test_a_tag_is_activated_as_aws_spells_it() -> None:
    rules = AttributionRules(tenant=["iamPrincipal/tenant", "resourceTags/user:tenant"])
    of_principals = listed("iamPrincipal/Tenant of", True), listed("iamPrincipal/TENANT", False)
    by_role, by_resource, *_ = tags.check_activation(
        known(*of_principals, listed("tenant", True)), rules
    )
    assert by_role.found == "not active, as of 23 November 2026, 12:00 UTC"
    assert "TagKey=iamPrincipal/TENANT,Status=Active" in by_role.command
    assert (by_resource.name, by_resource.state) == (
        "Cost allocation tag resourceTags/user:tenant",
        "ok",
    )


def test_a_key_is_looked_at_once_and_only_where_it_needs_activation() -> None:
    everywhere: list[Any] = ["iamPrincipal/team", "costCategory/team", "resourceTags/aws:createdBy"]
    rules = AttributionRules(
        tenant=everywhere, team=everywhere, project=everywhere, cost_center=everywhere
    )
    assert [check.name for check in tags.check_activation(known(), rules)] == [
        "Cost allocation tag iamPrincipal/team"
    ]


def test_a_command_to_copy_runs_nothing_else() -> None:
    key = "iamPrincipal/a; rm -rf $(pwd)"
    rules = AttributionRules(tenant=[key], team=[], project=[], cost_center=[])
    for answer in (known(), known(listed(key, False))):
        [check] = tags.check_activation(answer, rules)
        assert key in " ".join(shlex.split(check.command)[-1:])
