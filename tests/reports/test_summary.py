"""The run rate, and ratios where nothing is there to divide by."""

from __future__ import annotations

from decimal import Decimal

from chargeback.money import per_million, share_of
from chargeback.reports.summary import MonthTotals, run_rate

STRETCH = Decimal(30) / 20
"""Twenty complete days of thirty."""


def test_usage_tax_and_discounts_grow_and_fees_do_not() -> None:
    # 200 of usage in 20 days and 10 since, a tenth of it in tax, and a fee of 40.
    month = MonthTotals("2026-11", cost=Decimal(271), usage_cost=Decimal(210))
    pace = {"to_date": Decimal(200), "since": Decimal(10), "in_step": Decimal(21)}
    assert run_rate(month, pace, STRETCH) == 300 + 30 + 40


def test_without_usage_there_is_nothing_to_stretch() -> None:
    month = MonthTotals("2026-11", cost=Decimal(40))
    pace = dict.fromkeys(("to_date", "since", "in_step"), Decimal(0))
    assert run_rate(month, pace, STRETCH) == month.cost


def test_ratios_of_nothing_are_absent() -> None:
    empty = MonthTotals("2026-10")
    assert share_of(Decimal(1), Decimal(0)) is None
    assert per_million(Decimal(1), Decimal(0)) is None
    assert (empty.cost_per_million, empty.cache_read_share, empty.tenant_share) == (None,) * 3


def test_cost_per_million_is_of_token_usage_only() -> None:
    month = MonthTotals(
        "2026-10", cost=Decimal(500), token_cost=Decimal(6), tokens=Decimal(2_000_000)
    )
    assert month.cost_per_million == 3
