"""What a reader is told of rules: those that do nothing, and rows whose order no longer counts."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from chargeback.attribution.owners import OwnerListError
from chargeback.attribution.rule_notices import ALONE, SHOWN, rule_notices
from chargeback.attribution.rules import AttributionRules
from chargeback.notices import Notice

ACCOUNT = "111122223333"
GATEWAY = f"arn:aws:sts::{ACCOUNT}:assumed-role/gateway/tenant-acme"
AGENT = "arn:aws:bedrock-agentcore:eu-central-1:111122223333:runtime/team-search"


def line(cost: str = "1.00", /, **of: object) -> dict[str, Any]:
    """One line of a bill; `tags` as a map."""
    tags = {key: json.dumps(of.pop(key, {})) for key in ("tags", "resource_tags", "cost_category")}
    given = {"usage_account_id": ACCOUNT, "iam_principal": GATEWAY, "currency": "USD", "lines": 1}
    return {**given, **tags, "cost": Decimal(cost), **of}


def told(rules: dict[str, Any], *lines: dict[str, Any]) -> list[Notice]:
    table = pa.Table.from_pylist(list(lines))
    costs = table["cost"].cast(pa.decimal128(38, 12))
    table = table.set_column(table.column_names.index("cost"), "cost", costs)
    return list(rule_notices(AttributionRules.model_validate(rules), table, "2026-10"))


@pytest.fixture
def owners(tmp_path: Path) -> Path:
    return tmp_path / "owners.csv"


def listed(file: Path, *rows: str) -> list[Any]:
    header = "iam_principal,usage_account_id,team,project,effective_from,effective_to"
    file.write_text("\n".join([header, *rows]), "utf-8")
    return [{"owners": str(file)}]


def test_rules_that_all_decide_say_nothing(owners: Path) -> None:
    rules = {
        "team": ["iamPrincipal/team", *listed(owners, "*gateway,,b,,,")],
        "tenant": [{"pattern": "^tenant-(?P<value>.+)$"}, "account"],
    }
    lines = [line(tags={"iamPrincipal/Team": "a"}), line(), line(iam_principal="")]
    assert told(rules, *lines) == []


def test_a_source_that_decides_nothing_is_named(owners: Path) -> None:
    pattern = {"pattern": "^tenant-(?P<value>.+)$"}
    team = ["iamPrincipal/team", pattern, pattern, {"account": {"4" * 12: "x"}}]
    notices = told({"team": [*team, *listed(owners, "*gateway,,b,,,")]}, line(), line("-2"))
    assert {each.code for each in notices} == {"rule-unused"}
    assert [each.about["source"] for each in notices] == [
        "iamPrincipal/team",
        "pattern on session (2)",
        "account",
        "owner list",
    ]
    assert notices[0].words == "The source iamPrincipal/team of team decides nothing this month."


def test_a_default_that_finds_nothing_is_not_told() -> None:
    assert told({}, line()) == []


def test_a_row_that_matches_nothing_is_named_by_its_line(owners: Path) -> None:
    rules = listed(
        owners,
        "*gateway,,a,,,",
        "arn:aws:iam::111122223333:role/gatewy,,a,,,",
        ",444455556666,a,,,",
        "*gatewy,,a,,2026-11-01,",
        "*gatewy,,a,,,2026-10-01",
        "*gateaw,,b,,2026-10-31,",
    )
    notices = told({"team": rules, "project": rules}, line())
    unused = [each.about for each in notices if each.code == "owner-row-unused"]
    assert unused == [{"file": "owners.csv", "line": number} for number in ("3", "4", "7")]


def test_a_row_that_others_outdo_still_matches(owners: Path) -> None:
    rules = listed(owners, f",{ACCOUNT},a,,,", "*gateway,,a,,,")
    assert told({"team": rules}, line()) == []


def test_a_row_counts_as_used_only_where_it_was_in_force(owners: Path) -> None:
    rules = listed(owners, "*gateway,,a,,,2026-10-15", "*gateway,,b,,2026-10-15,")
    on = [date(2026, 10, 14), date(2026, 10, 15), None]
    used = [told({"team": rules}, line(usage_date=day)) for day in on]
    assert [[each.about["line"] for each in notices] for notices in used] == [["3"], ["2"], ["3"]]
    assert told({"team": rules}, *(line(usage_date=day) for day in on)) == []


def test_of_many_unused_rows_the_rest_share_a_notice(owners: Path) -> None:
    rows = [f"arn:aws:iam::{ACCOUNT}:role/gone-{n},,a,,," for n in range(ALONE + 2)]
    notices = told({"team": listed(owners, "*gateway,,a,,,", *rows)}, line())
    assert len(notices) == ALONE + 1
    assert notices[-1].about["line"] == f"{ALONE + 3}, {ALONE + 4}"


def test_where_the_order_of_the_file_would_give_another_owner_it_is_said_in_dollars(
    owners: Path,
) -> None:
    rules = listed(owners, f",{ACCOUNT},platform,p,,", "*gateway,,search,p,,", "*acme,,acme,,,")
    lines = [line("10", lines=2), line("2.50"), line("3", currency="EUR"), line(iam_principal="")]
    notices = told({"team": rules, "project": rules}, *lines)
    eur, usd = (each for each in notices if each.code == "owner-row-order")
    assert (usd.lines, usd.amount, usd.currency) == (3, Decimal("12.50"), "USD")
    assert (eur.lines, eur.amount, eur.currency) == (1, Decimal(3), "EUR")
    assert usd.about == {
        "file": "owners.csv",
        "dimension": "team",
        "change": "line 3 (search) for line 2 (platform) 12.50 USD",
    }
    assert "assigns 12.50 USD to other owners" in usd.words


def test_only_the_largest_changes_are_put_into_words(owners: Path) -> None:
    roles = [f"arn:aws:iam::{ACCOUNT}:role/r{n}" for n in range(SHOWN + 2)]
    rows = ["*,,all,,,", *(f"{role},,team-{n},,," for n, role in enumerate(roles))]
    lines = [line(f"{n + 1}", iam_principal=role) for n, role in enumerate(roles)]
    (notice,) = told({"team": listed(owners, *rows)}, *lines)
    assert notice.about["change"].startswith("line 9 (team-6) for line 2 (all) 7.00 USD; line 8 ")
    assert notice.about["change"].endswith("; and 2 more")


def test_rows_that_contradict_each_other_for_a_caller_are_refused(owners: Path) -> None:
    rules = {"team": ["iamPrincipal/team", *listed(owners, "*gateway,,a,,,", "arn:aws*,,b,,,")]}
    with pytest.raises(OwnerListError, match=r"lines 2 and 3 .* for arn:aws:sts.*tenant-acme"):
        told(rules, line(tags={"iamPrincipal/team": "c"}))
    assert told(rules, line(iam_principal="", tags={"iamPrincipal/team": "c"})) != []


def test_resources_are_read_where_a_rule_asks_for_them() -> None:
    rules = {"team": [{"pattern": "/team-(?P<value>.+)$", "on": "resource"}]}
    assert told(rules, line(resource_id=AGENT, iam_principal="")) == []
    assert [each.about["source"] for each in told(rules, line())] == ["pattern on resource"]


def test_a_source_whose_values_are_all_merged_decides() -> None:
    rules = {"team": ["iamPrincipal/team"], "merge": {"team": {"A": ["a"]}}}
    assert told(rules, line(tags={"iamPrincipal/team": "a"})) == []
