"""Causes of differences: each measured, none larger than it can be, and every sum exact."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chargeback.reconciliation.causes import (
    LINE_ROUNDING,
    SENTENCES,
    TAX,
    CauseName,
    ServiceCharge,
    ServiceRow,
    compare_totals,
    rounding,
    service_rows,
    total,
)
from chargeback.ui.reconciliation import QUESTIONS

SONNET = "Claude Sonnet 5.5 (Amazon Bedrock Edition)"


def only(billed: ServiceCharge | None, counted: ServiceCharge | None) -> ServiceRow:
    rows = service_rows(
        [billed] if billed else [], [counted] if counted else [], tax_is_counted=True
    )
    [row] = rows
    return row


BILLED = ServiceCharge("Amazon Bedrock", "Usage", Decimal(100), lines=3)


def test_usage_of_another_month_is_a_cause_only_where_it_is_the_whole_difference() -> None:
    dated = replace(BILLED, dated_elsewhere=Decimal(7), billed_elsewhere=Decimal(2))
    by_day = only(dated, ServiceCharge("AmazonBedrock", "Usage", Decimal(95)))
    assert [(cause.name, cause.amount) for cause in by_day.causes] == [
        (CauseName.DATED, Decimal(-5))
    ]
    short = only(dated, ServiceCharge("AmazonBedrock", "Usage", Decimal(94)))
    assert not short.causes
    assert short.unexplained == -6


def test_only_the_newest_days_may_be_later() -> None:
    counted = ServiceCharge("Amazon Bedrock", "Usage", Decimal(80), recent=Decimal(10))
    row = only(replace(BILLED, recent=Decimal(25)), counted)
    assert [(cause.name, cause.amount) for cause in row.causes] == [(CauseName.LATER, Decimal(-15))]
    assert row.unexplained == -5


def test_rounding_reaches_as_far_as_its_lines_and_no_farther() -> None:
    reach = LINE_ROUNDING * (BILLED.lines + 1)
    near = only(BILLED, ServiceCharge("Amazon Bedrock", "Usage", BILLED.amount + reach))
    far = only(BILLED, ServiceCharge("Amazon Bedrock", "Usage", BILLED.amount + 2 * reach))
    assert [cause.name for cause in near.causes] == [CauseName.ROUNDING]
    assert near.unexplained == 0
    assert not far.causes
    assert far.unexplained == 2 * reach


MONEY = st.decimals(-(10**9), 10**9, places=10)
CHARGES = st.lists(
    st.builds(
        ServiceCharge,
        service=st.sampled_from(["Amazon Bedrock", "AmazonBedrock", SONNET, "amazon-bedrock"]),
        record_type=st.sampled_from(
            ["Usage", TAX, "Credit", "EdpDiscount", "Enterprise Discount Program Discount"]
        ),
        amount=MONEY,
        recent=MONEY,
        dated_elsewhere=MONEY,
        billed_elsewhere=MONEY,
        lines=st.integers(1, 1000),
    ),
    max_size=8,
)


@given(CHARGES, CHARGES, st.booleans())
def test_rows_add_up_and_rounding_is_small(
    billed: list[ServiceCharge], counted: list[ServiceCharge], tax_is_counted: bool
) -> None:
    rows = service_rows(billed, counted, tax_is_counted=tax_is_counted)
    whole = compare_totals("Cost Explorer", rows)
    assert whole.cur == sum(charge.amount for charge in billed)
    assert whole.amount == sum(charge.amount for charge in counted)
    assert whole.cur + total(whole.causes) + whole.unexplained == whole.amount
    assert whole.unexplained == sum(row.unexplained for row in rows)
    lines = sum(charge.lines for charge in (*billed, *counted))
    rounded = [c.amount for row in rows for c in row.causes if c.name is CauseName.ROUNDING]
    assert sum(map(abs, rounded)) <= LINE_ROUNDING * lines


@given(CHARGES)
def test_equal_sources_have_no_causes(charges: list[ServiceCharge]) -> None:
    rows = service_rows(charges, charges, tax_is_counted=True)
    assert not [row for row in rows if row.causes]
    assert sum(row.unexplained for row in rows) == 0
    assert sum(row.cur or 0 for row in rows) == sum(charge.amount for charge in charges)


@given(MONEY, st.decimals(0, 10, places=2))
def test_rounding_takes_all_or_nothing(left: Decimal, reach: Decimal) -> None:
    causes = list(rounding(left, reach))
    assert total(causes) == (left if abs(left) <= reach else 0)


def test_every_cause_and_question_is_put_in_words() -> None:
    assert set(SENTENCES) == set(CauseName)
    questions = " ".join(question for question, _ in QUESTIONS)
    assert "Why do these numbers differ?" in questions
    assert "estimate" in questions
