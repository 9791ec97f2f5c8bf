"""What nobody pays for has one reason each, and the reasons add up to it, to the last digit."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chargeback.access.rows import EVERYTHING
from chargeback.attribution.gateways import MANY_CALLERS
from chargeback.attribution.rules import AttributionRules
from chargeback.dimensions import UNALLOCATED, WITH_SOURCE
from chargeback.reports.answers import Answers
from chargeback.reports.charges import charges_by_unit
from chargeback.reports.coverage import coverage_by_month
from chargeback.reports.frames import total
from chargeback.reports.unallocated import internal_use, reasons, unallocated_callers
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.workspace import Workspace
from tests.bills import MONTH, Line, line, whole, write_bill

BEFORE = "2026-09"
VIEW = View(MONTH, "USD", EVERYTHING)
DIMENSIONS = [each.name for each in WITH_SOURCE]
ROLES = "arn:aws:sts::111122223333:assumed-role"
API_KEY = "arn:aws:iam::111122223333:user/BedrockAPIKey-1x"
PROJECT = "arn:aws:bedrock-mantle:us-east-1:111122223333:project"
GATEWAY = [f"{ROLES}/gateway/caller-{number}" for number in range(MANY_CALLERS)]
OWN = {"line_item_usage_type": "USE1-Guardrail-TopicPolicyUnitsConsumed"}
"""A meter that no line with a caller has."""


def answers_to(folder: Path, lines: Iterable[Line], before: Iterable[Line] = ()) -> Answers:
    months = {MONTH: list(lines), BEFORE: list(before)}
    cur = write_bill(folder / "cur", {month: rows for month, rows in months.items() if rows})
    workspace = Workspace(Settings(cur=cur, store=folder / "store"))
    workspace.refresh()
    return workspace.answers()


def by_reason(answers: Answers, dimension: str, view: View = VIEW) -> dict[str, Decimal]:
    found = reasons(answers, view, dimension)
    return dict(zip(found["reason"], found["cost"], strict=True))


callers = st.sampled_from(["", API_KEY, *GATEWAY, f"{ROLES}/app/i-0a1b2c3d", "no ARN at all"])
tags = st.dictionaries(
    st.sampled_from([f"iamPrincipal/{key}" for key in ("tenant", "team", "Team", "cost-center")]),
    st.sampled_from(["", " ", "a", "b", UNALLOCATED]),
)
lines = st.builds(
    lambda cost, type_, principal, tagged, more: line(
        cost, type_, principal=principal, tags=tagged, **more
    ),
    st.decimals(-1000, 1000, places=10),
    st.sampled_from(["Usage", "Tax", "Credit", "Refund", "EdpDiscount", "Fee", "Something new"]),
    callers,
    tags,
    st.sampled_from([{}, OWN, {"line_item_resource_id": f"{PROJECT}/default"}]),
)


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # to shrink a bill would take minutes
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(lines, min_size=1, max_size=25), st.lists(lines, max_size=3))
def test_reasons_and_callers_add_up_to_what_is_unallocated(
    bill: list[Line], before: list[Line]
) -> None:
    with TemporaryDirectory() as folder:
        answers = answers_to(Path(folder), bill, before)
        for dimension in DIMENSIONS:
            rows = charges_by_unit(answers, whole(MONTH), dimension).to_pylist()
            charged = sum(row["total_charge"] for row in rows if row["unit"] == UNALLOCATED)
            found = by_reason(answers, dimension)
            assert sum(found.values()) == charged
            for reason, cost in found.items():
                listed = unallocated_callers(answers, VIEW, dimension, reason)
                assert total(listed) == cost
                assert list(listed["found"]) == [len(listed)] * len(listed)
        internal = by_reason(answers, "tenant").get("internal-use", Decimal())
        assert total(internal_use(answers, VIEW)) == internal


EACH: list[tuple[str, dict[str, Any]]] = [
    ("discount", {"type_": "EdpDiscount", "principal": ""}),
    ("tax", {"type_": "Tax", "principal": ""}),
    ("credit", {"type_": "Credit", "principal": ""}),
    ("refund", {"type_": "Refund", "principal": ""}),
    ("fee", {"type_": "Fee", "principal": ""}),
    ("fee", {"type_": "Not heard of yet", "principal": ""}),
    ("meter", {"principal": "", **OWN}),
    ("before-callers", {"principal": ""}),
    ("default-project", {"principal": "", "line_item_resource_id": f"{PROJECT}/default"}),
    ("default-project", {"line_item_resource_id": f"{PROJECT}/default"}),
    ("api-key", {"principal": API_KEY}),
    ("gateway", {"principal": GATEWAY[0]}),
    ("blank-tag", {"tags": {"iamPrincipal/Cost-Center": ""}}),
    ("no-tag", {"tags": {"iamPrincipal/costcenter": "CC-1"}}),
    ("no-tag", {"line_item_resource_id": f"{PROJECT}/proj_1"}),
    ("no-tag", {"type_": "Credit"}),
]


@pytest.mark.parametrize(("reason", "about"), EACH, ids=lambda value: str(value)[:40])
def test_each_line_has_the_reason_that_its_fix_needs(
    tmp_path: Path, reason: str, about: dict[str, Any]
) -> None:
    others = [line("1.00", cost_center="CC-1", principal=each) for each in GATEWAY[1:]]
    others += [line("1.00", cost_center="CC-1", principal=f"{ROLES}/gateway/one-more")]
    answers = answers_to(tmp_path, [line("7.25", **about), *others])
    assert by_reason(answers, "cost_center") == {reason: Decimal("7.25")}


def test_a_team_without_a_tenant_is_internal_use(tmp_path: Path) -> None:
    inner = [
        line("5.00", team="search", cost_center="CC-1", principal=f"{ROLES}/app/a"),
        line("2.00", team="search", principal=f"{ROLES}/app/b"),
        line("9.00", "Tax", team="search", principal=""),
        line("4.00"),
        line("3.00", tenant="acme"),
    ]
    answers = answers_to(tmp_path, inner)
    expected = {"tax": Decimal(9), "internal-use": Decimal(7), "no-tag": Decimal(4)}
    assert by_reason(answers, "tenant") == expected
    assert "internal-use" not in by_reason(answers, "cost_center")
    rows = internal_use(answers, VIEW).to_dict("records")
    assert [(row["cost_center"], row["team"], row["cost"]) for row in rows] == [
        ("CC-1", "search", Decimal(5)),
        (UNALLOCATED, "search", Decimal(2)),
    ]


def test_a_month_without_callers_is_from_before_the_bill_named_them(tmp_path: Path) -> None:
    old = [
        line("6.00", principal="", line_item_usage_start_date=None, **OWN),
        line("2.50", "Tax", principal=""),
    ]
    answers = answers_to(tmp_path, [line("1.00")], old)
    then = View(BEFORE, "USD", EVERYTHING)
    assert by_reason(answers, "team", then) == {
        "before-callers": Decimal(6),
        "tax": Decimal("2.5"),
    }


def test_since_when_and_whom_to_ask(tmp_path: Path) -> None:
    app, job = f"{ROLES}/app/a", f"{ROLES}/job/b"
    now = [
        line("5.00", team="search", principal=app),
        line("8.00", team="ads", principal=job),
        line("1.00", principal=API_KEY),
    ]
    answers = answers_to(tmp_path, now, [line("1.00", team="search", principal=app)])
    rows = {row["reason"]: row for row in reasons(answers, VIEW, "project").to_dict("records")}
    assert (rows["no-tag"]["since"], rows["no-tag"]["team"]) == (BEFORE, "ads")
    assert (rows["api-key"]["since"], rows["api-key"]["team"]) == (MONTH, "")
    assert (rows["no-tag"]["callers"], rows["api-key"]["callers"]) == (2, 1)
    assert sum(row["share"] for row in rows.values()) == pytest.approx(1)
    listed = unallocated_callers(answers, VIEW, "project", "no-tag", 1).to_dict("records")
    assert [(row["name"], row["since"], row["found"]) for row in listed] == [("job", MONTH, 2)]


def test_every_month_says_how_much_of_it_is_attributed(tmp_path: Path) -> None:
    now = [line("3.00", tenant="acme"), line("1.00", "Tax", principal="")]
    answers = answers_to(tmp_path, now, [line("2.00", project="x")])
    shares = {
        (row["dimension"], row["billing_period"]): row["share"]
        for row in coverage_by_month(answers, VIEW).to_dict("records")
    }
    assert shares["tenant", MONTH] == Decimal("0.75")
    assert shares["tenant", BEFORE] == 0
    assert (shares["project", BEFORE], shares["principal", MONTH]) == (1, Decimal("0.75"))


def test_a_filter_does_not_turn_a_gateway_into_something_else(tmp_path: Path) -> None:
    sessions = [line("1.00", tenant="acme", principal=each) for each in GATEWAY]
    answers = answers_to(tmp_path, [*sessions, line("2.00", principal=f"{ROLES}/gateway/own")])
    narrowed = VIEW.narrowed("tenant", UNALLOCATED)
    assert by_reason(answers, "tenant", narrowed) == {"gateway": Decimal(2)}


def test_a_rule_of_another_tag_decides_which_tag_is_blank(tmp_path: Path) -> None:
    cur = write_bill(tmp_path / "cur", {MONTH: [line("1.00", tags={"resourceTags/user_app": ""})]})
    by_app = AttributionRules(project=["resourceTags/app"])
    workspace = Workspace(Settings(cur=cur, store=tmp_path / "store", attribution=by_app))
    workspace.refresh()
    answers = workspace.answers()
    assert by_reason(answers, "project") == {"blank-tag": Decimal(1)}
    assert by_reason(answers, "team") == {"no-tag": Decimal(1)}
