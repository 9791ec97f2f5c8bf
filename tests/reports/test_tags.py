"""What tags and owner lists say beside what decided: spelled twice, not used, contradicted."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from chargeback.access.rows import EVERYTHING
from chargeback.attribution.rules import AttributionRules
from chargeback.reports.answers import Answers
from chargeback.reports.tags import disagreements, folded, spellings, unused_keys
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.workspace import Workspace
from tests.bills import MONTH, Line, line, write_bill

VIEW = View(MONTH, "USD", EVERYTHING)
ROLE = "arn:aws:iam::111122223333:role/app"
SAME = [
    "Team-A",
    "team_a ",
    "TEAM A",
    "teama",
    "\N{FULLWIDTH LATIN SMALL LETTER T}eam\N{NO-BREAK SPACE}a",
]


def answers_to(folder: Path, lines: list[Line], rules: AttributionRules | None = None) -> Answers:
    cur = write_bill(folder / "cur", {MONTH: lines})
    attribution = rules or AttributionRules()
    workspace = Workspace(Settings(cur=cur, store=folder / "store", attribution=attribution))
    workspace.refresh()
    return workspace.answers()


def test_one_value_spelled_in_several_ways_is_found(tmp_path: Path) -> None:
    costs = ["1.00", "2.00", "9.00", "3.00", "4.00"]
    lines = [line(cost, team=team) for cost, team in zip(costs, SAME, strict=True)]
    answers = answers_to(tmp_path, [*lines, line("5.00", team="team-b"), line("6.00")])
    rows = spellings(answers, VIEW, "team").to_dict("records")
    assert {row["kept"] for row in rows} == {"TEAM A"}
    assert [(row["value"], row["cost"]) for row in rows] == [
        (SAME[4], Decimal(4)),
        (SAME[3], Decimal(3)),
        (SAME[1], Decimal(2)),
        (SAME[0], Decimal(1)),
    ]


@pytest.mark.parametrize("other", ["Team-B", "Team-A1", "Team.A", "Teám-A", "A-Team"])
def test_what_differs_in_a_letter_is_another_value(other: str) -> None:
    assert len({folded(each) for each in SAME}) == 1
    assert folded(other) != folded("Team-A")


def test_merged_values_are_spelled_once_and_say_so(tmp_path: Path) -> None:
    merge = {"team": {"Team-A": ["TEAM A"]}}
    lines = [line("1.00", team="Team-A"), line("2.00", team="TEAM A")]
    answers = answers_to(tmp_path, lines, AttributionRules(merge=merge))
    assert spellings(answers, VIEW, "team").empty
    decided = answers.ask("deciding_sources", "monthly", VIEW, dimension="team").to_pylist()
    assert {row["source"]: row["cost"] for row in decided} == {
        "iamPrincipal/team": Decimal(1),
        "iamPrincipal/team (merged)": Decimal(2),
    }


def test_keys_that_no_rule_asks_for(tmp_path: Path) -> None:
    lines = [
        line("1.00", tags={"iamPrincipal/TEAM": "x", "costCategory/Unit": "a"}),
        line("2.00", tags={"costCategory/Unit": "b", "resourceTags/user_app": "shop"}),
        line("4.00", tags={"costCategory/Unit": "b", "iamPrincipal/owner": " "}),
    ]
    answers = answers_to(tmp_path, lines)
    rows = unused_keys(answers, VIEW, AttributionRules()).to_dict("records")
    assert [(row["key"], row["cost"], row["values"], row["examples"]) for row in rows] == [
        ("costCategory/Unit", Decimal(7), 2, "b, a"),
        ("resourceTags/user_app", Decimal(2), 1, "shop"),
    ]
    by_app = AttributionRules(project=["resourceTags/app", "costCategory/unit"])
    assert unused_keys(answers, VIEW, by_app).empty


def test_who_is_tagged_otherwise_than_the_owner_list_says(tmp_path: Path) -> None:
    listed = tmp_path / "owners.csv"
    listed.write_text(f"iam_principal,team\n{ROLE},ads\n", "utf-8")
    rules = AttributionRules(team=["iamPrincipal/team", {"owners": listed}])
    lines = [line("3.00", team='"team": {'), line("4.00", team="ads"), line("5.00")]
    rows = disagreements(answers_to(tmp_path, lines, rules), VIEW, "team").to_dict("records")
    assert [(row["unit"], row["source"], row["other_unit"], row["cost"]) for row in rows] == [
        ('"team": {', "iamPrincipal/team", "ads", Decimal(3))
    ]
    assert disagreements(answers_to(tmp_path, lines, rules), VIEW, "tenant").empty
