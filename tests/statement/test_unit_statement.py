"""The statement of one unit: every amount is the one in the files, and all of them add up."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargeback.access.rows import Rows
from chargeback.dimensions import CHARGED, UNALLOCATED
from chargeback.errors import Problem, UsageProblem
from chargeback.money import CENT
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import MONEY
from chargeback.statement.charge_parts import charge_parts
from chargeback.statement.unit_html import document
from chargeback.statement.unit_settings import StatementSettings
from chargeback.statement.unit_statement import MOST_PARTS, UnitStatement, UnitStatements
from chargeback.statement.unit_words import asking, change, others, still_open
from tests.bills import MONTH, exported, line, whole
from tests.statement.test_allocation import A_LINE, GATEWAY, SETTINGS, rules
from tests.statement.units import BEFORE, TODAY, answers_on, in_month, statement_on, statements_on

TO_ALL = {
    "id": "gateway",
    "name": "Untagged gateway traffic",
    "for": ["tenant"],
    "take": {"principal": "arn:aws:iam::*:role/llm-gateway"},
    "by": "direct cost",
}
SHOP = [
    line("30.00", tenant="acme", line_item_usage_type="USE1-NovaPro-input-tokens"),
    line("10.00", tenant="globex"),
    line("8.00", principal=GATEWAY),
    line("4.80", "Tax"),
]


def assert_adds_up(found: UnitStatements) -> None:
    for charge in found.statement.charges:
        statement = found.of(charge)
        assert statement.charged.total == charge.total
        assert sum(part.amount for part in statement.parts) == charge.total
        own = sum(part.amount for part in statement.parts if part.is_own)
        assert own == statement.charged.own
        for split in statement.splits:
            assert sum(part.cost for part in split.parts) == own
        assert statement.history[-1] == (MONTH, charge.total)
        assert len(statement.parts) <= MOST_PARTS


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(
            *A_LINE,
            st.sampled_from(["USD", "USD", "EUR"]),
        ),
        min_size=1,
        max_size=8,
    ),
    SETTINGS,
    st.sampled_from(list(CHARGED)),
)
def test_any_statement_adds_up(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[tuple[str, str, Decimal, str]],
    asked: AllocationSettings,
    by: str,
) -> None:
    bill = [
        line(cost, type_, currency=currency, **({"tenant": tenant} if tenant else {}))
        for tenant, type_, cost, currency in lines
    ]
    answers = answers_on(tmp_path_factory.mktemp("any"), {MONTH: bill})
    found = statements_on(answers, by, asked)
    assert_adds_up(found)
    parts = charge_parts(found.statement)
    for charge in found.statement.charges:  # column by column, too
        columns: dict[str, Decimal] = defaultdict(Decimal)
        for part in parts[charge.currency, charge.bill_to]:
            columns[part.column] += part.amount
        assert [columns[name] for name in MONEY] == list(charge.amounts)


def test_its_charge_is_the_one_in_the_csv(tmp_path: Path) -> None:
    answers = answers_on(tmp_path, {MONTH: [line("10.005", tenant="acme"), *SHOP]})
    asked = rules(TO_ALL, tax="usage")
    found = statements_on(answers, "tenant", asked)
    file = exported(
        answers, whole(MONTH), "tenant", TODAY, tmp_path / "out", allocation=asked
    ).statement
    with file.open(encoding="utf-8-sig", newline="") as opened:
        charged = {row["bill_to"]: row["total_charge"] for row in csv.DictReader(opened)}
    assert {
        each.bill_to: f"{found.of(each).charged.total}" for each in found.statement.charges
    } == (charged)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> UnitStatements:
    """October, and a September in which acme used a third and nobody was untagged."""
    september = in_month(BEFORE, [line("10.00", tenant="acme"), line("10.00", tenant="globex")])
    answers = answers_on(tmp_path_factory.mktemp("shop"), {BEFORE: september, MONTH: SHOP})
    asked = StatementSettings(contact="finops@example.com", dispute_days=10)
    return statements_on(answers, "tenant", rules(TO_ALL, tax="usage"), settings=asked)


def made_up(statement: UnitStatement) -> list[tuple[str, str, Decimal]]:
    return [
        (part.label, others(part, statement.dimension), part.amount) for part in statement.parts
    ]


def test_a_charge_names_its_lines_and_each_rule_with_whom_it_came_from(
    shop: UnitStatements,
) -> None:
    acme = statement_on(shop, "acme")
    # Of 48.00 of usage acme has 30.00: 3.00 of the tax. Of what is tagged it has three quarters.
    assert made_up(acme) == [
        ("Usage", "", Decimal(30)),
        ("Tax follows usage", "from (unallocated)", Decimal(3)),
        ("Untagged gateway traffic", "from (unallocated)", Decimal(6)),
    ]
    nobody = statement_on(shop, UNALLOCATED)
    assert made_up(nobody) == [
        ("Usage", "", Decimal(8)),
        ("Tax", "", Decimal("4.80")),
        ("Tax follows usage", "to 2 tenants", Decimal(-4)),
        ("Untagged gateway traffic", "to 2 tenants", Decimal(-8)),
    ]


def test_the_change_is_told_in_direct_spend_and_allocated_costs(shop: UnitStatements) -> None:
    acme = statement_on(shop, "acme")
    assert acme.change == 29
    # A line is 1,000 tokens: three lines' cost for one line's tokens is another price.
    assert change(acme).startswith(
        "+$29.00 (+290.0 %) against September's $10.00: direct spend +$20.00 ("
    )
    assert change(acme).endswith("), allocated costs +$9.00.")
    assert [amount for _, amount in acme.history[-2:]] == [10, 39]
    assert [amount for _, amount in acme.history[:-2]] == [None] * 11


def test_an_open_month_is_compared_with_nothing(tmp_path: Path) -> None:
    answers = answers_on(tmp_path, {BEFORE: in_month(BEFORE, SHOP), MONTH: SHOP})
    acme = statement_on(statements_on(answers, today=date(2026, 10, 20)), "acme")
    assert (acme.change, acme.reason, acme.used_last) == (None, "", None)
    assert change(acme) == "The month is still open; all of September came to $30.00."
    assert still_open(acme)[0].startswith("Provisional: the month is not over.")
    assert asking(acme).endswith("within 30 days of the month being invoiced.")


def test_a_first_month_has_nothing_to_compare_with(tmp_path: Path) -> None:
    found = statements_on(answers_on(tmp_path, {MONTH: SHOP}))
    assert change(statement_on(found, "acme")) == "There is no September to compare with."


def test_an_invoiced_month_says_by_when_to_object(shop: UnitStatements) -> None:
    acme = statement_on(shop, "acme")
    assert acme.data_as_of.date() == date(2026, 11, 5)  # tests.bills.WRITTEN
    assert acme.dispute_until == date(2026, 11, 15)
    assert asking(acme) == "Questions or objections: finops@example.com, by 15 November 2026."
    assert still_open(acme) == []


def test_a_bill_that_is_not_clear_is_said(tmp_path: Path) -> None:
    """Discounts told twice in amounts that differ: which cost counts is open."""
    unclear = [line("10.00", tenant="acme", net="9.00"), line("-3.00", "EdpDiscount", net="-1.00")]
    acme = statement_on(statements_on(answers_on(tmp_path, {MONTH: unclear})), "acme")
    first, second = still_open(acme)
    assert first.startswith("Provisional: the bill of the month is still being clarified.")
    assert "whether discounts are already in the net costs" in second


def test_many_callers_and_models_are_folded_and_still_add_up(tmp_path: Path) -> None:
    lines = [
        line(
            f"{10 + number}.00",
            tenant="acme",
            principal=f"arn:aws:iam::111122223333:role/app-{number}",
        )
        for number in range(9)
    ]
    lines.append(line("1.00", "Tax", tenant="acme", principal=None))
    callers, models = statement_on(
        statements_on(answers_on(tmp_path, {MONTH: lines})), "acme"
    ).splits
    named = [part.name for part in callers.parts]
    largest = [f"app-{number}" for number in range(8, 3, -1)]
    assert named == [*largest, "4 other callers", "(no caller named)"]
    assert callers.parts[-2].cost == 10 + 11 + 12 + 13
    assert sum(part.cost for part in callers.parts) == sum(part.cost for part in models.parts)
    assert callers.parts[0].as_billed == "arn:aws:iam::111122223333:role/app-8"


@pytest.mark.parametrize(
    ("by", "splits"),
    [
        ("tenant", ["callers", "models"]),
        ("principal", ["token types", "models"]),
        ("model", ["callers", "token types"]),
    ],
)
def test_a_unit_is_not_split_by_itself(tmp_path: Path, by: str, splits: list[str]) -> None:
    found = statements_on(answers_on(tmp_path, {MONTH: SHOP}), by)
    statement = found.of(found.statement.charges[0])
    assert [split.dimension.plural for split in statement.splits] == splits


def test_many_rules_are_folded(tmp_path: Path) -> None:
    each: list[dict[str, Any]] = [
        {
            "id": f"rule {number}",
            "for": ["tenant"],
            "take": {"principal": f"*:role/app-{number}"},
            "by": "even",
        }
        for number in range(20)
    ]
    lines = [
        line(f"{number + 1}.00", principal=f"arn:aws:iam::111122223333:role/app-{number}")
        for number in range(20)
    ]
    answers = answers_on(tmp_path, {MONTH: [*lines, line("1.00", tenant="acme")]})
    found = statements_on(answers, "tenant", rules(*each))
    acme = statement_on(found, "acme")
    # 21 parts: its own, and of twenty rules the ten largest; the rest are 1 + 2 + … + 10.
    assert acme.parts[-1].label == "10 smaller parts"
    assert acme.parts[-1].amount == sum(range(1, 11))
    assert len(acme.parts) == MOST_PARTS
    assert_adds_up(found)


def test_who_may_not_see_the_whole_bill_gets_no_statement(tmp_path: Path) -> None:
    """What of a shared cost is a tenant's depends on all others'."""
    answers = answers_on(tmp_path, {MONTH: SHOP})
    with pytest.raises(Problem, match=r"30\.0+ of 52\.8"):
        statements_on(answers, visible=Rows((("tenant", ("acme",)),)))


def test_a_month_without_a_line_charges_nobody_nothing(tmp_path: Path) -> None:
    elsewhere = line("5.00", product_code="AmazonEC2", product_servicecode="AmazonEC2")
    found = statements_on(answers_on(tmp_path, {MONTH: [elsewhere]}))
    nobody = statement_on(found, UNALLOCATED)
    assert nobody.charged.total == nobody.used.tokens == 0
    assert not nobody.parts
    assert "$" not in document(nobody)  # it has no currency


def test_a_unit_that_nothing_is_charged_to_is_named_with_others(shop: UnitStatements) -> None:
    with pytest.raises(UsageProblem) as refused:
        shop.find("none such")
    assert "tenant 'none such' in 2026-10" in refused.value.what
    assert "acme, globex" in refused.value.todo


def test_a_cent_that_rounding_leaves_stays_within_its_column(tmp_path: Path) -> None:
    """Three ways of a cent: the tax of one line goes to three tenants alike."""
    lines = [line("10.00", tenant=name) for name in "abc"]
    answers = answers_on(tmp_path, {MONTH: [*lines, line("0.10", "Tax")]})
    found = statements_on(answers, "tenant", rules(tax="usage"))
    shares = [statement_on(found, name).parts[-1].amount for name in "abc"]
    assert sum(shares) == Decimal("0.10")
    assert all(abs(share - Decimal("0.10") / 3) < CENT for share in shares)
