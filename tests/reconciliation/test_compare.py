"""A month in three sources: nothing is unexplained in the demo, and nothing hides in causes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chargeback.access.rows import EVERYTHING
from chargeback.demo.billing_bill import Refused
from chargeback.errors import UsageProblem
from chargeback.reconciliation.causes import CENT_ROUNDING, TAX, CauseName, Comparison, total
from chargeback.reconciliation.compare import Reconciliation, reconcile
from chargeback.reconciliation.invoices import NOT_INVOICED, BillPart
from chargeback.reports.answers import Answers
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.workspace import Workspace
from tests.billing_service import (
    CLOSED_MONTH,
    NET_MONTH,
    OPEN_MONTH,
    TODAY,
    Billing,
    billing,
    billing_cur,
    billing_service,
)

__all__ = ["billing", "billing_cur", "billing_service"]

Json = dict[str, Any]
CLOSED_MONTHS = ["2026-08", NET_MONTH, CLOSED_MONTH]
SONNET = "Claude Sonnet 5.5 (Amazon Bedrock Edition)"
ODD = Decimal("1234.56")
IS_BEDROCK = """(line_item_product_code like '%Bedrock%'
    or coalesce(product['product_name'], '') like '%Bedrock%')"""


@pytest.fixture(scope="module")
def answers(billing_cur: Path, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    workspace = Workspace(Settings(cur=billing_cur, store=tmp_path_factory.mktemp("store")))
    workspace.refresh()
    return workspace.answers()


def held(billing: Billing, answers: Answers, month: str = CLOSED_MONTH) -> Reconciliation:
    return reconcile(
        answers, billing.cost_explorer, billing.invoices, View(month, "USD", EVERYTHING), TODAY
    )


def amounts(comparison: Comparison | None) -> dict[CauseName, Decimal]:
    assert comparison
    return {cause.name: cause.amount for cause in comparison.causes}


def of_groups(change: Callable[[Json], bool]) -> Callable[[str, Json], Json]:
    """Lets `change` alter each group of GetCostAndUsage, and drops those for which it is false."""

    def changed(operation: str, answer: Json) -> Json:
        if operation == "GetCostAndUsage":
            for bucket in answer["ResultsByTime"]:
                bucket["Groups"] = [group for group in bucket["Groups"] if change(group)]
        return answer

    return changed


def without(*keys: str) -> Callable[[str, Json], Json]:
    """Drops the groups that have all of these keys."""
    return of_groups(lambda group: not set(keys) <= set(group["Keys"]))


def adding(amount: Decimal, *keys: str) -> Callable[[str, Json], Json]:
    """Adds to the groups with these keys."""

    def add(group: Json) -> bool:
        if group["Keys"] == list(keys):
            for metric in group["Metrics"].values():
                metric["Amount"] = str(Decimal(metric["Amount"]) + amount)
        return True

    return of_groups(add)


# ---- the demo bill -------------------------------------------------------------------------------


@pytest.mark.parametrize("month", CLOSED_MONTHS)
def test_a_closed_month_comes_to_nothing_unexplained(
    billing: Billing, answers: Answers, month: str
) -> None:
    found = held(billing, answers, month)
    assert found.unexplained == 0
    assert not found.to_look_at
    assert not found.problems
    assert [c.other for c in found.comparisons] == [
        "Cost Explorer",
        "AWS invoices",
        "AWS Marketplace invoices",
    ]
    for comparison in found.comparisons:
        assert comparison.cur + total(comparison.causes) == comparison.amount
        assert all(cause.sentence and cause.amount for cause in comparison.causes)
    assert found.is_invoiced
    assert found.cur == sum(row.cur for row in found.invoice_rows)
    assert found.cur == sum(part.amount for part in found.parts)
    invoiced = {part.seller: part.amount for part in found.parts}
    assert invoiced == {"AWS": found.invoices[0].cur, "AWS Marketplace": found.invoices[1].cur}
    assert found.cur == sum(row.cur or 0 for row in found.services)


def test_what_the_bill_calls_tax_is_the_only_difference_to_cost_explorer(
    billing: Billing, answers: Answers
) -> None:
    found = held(billing, answers)
    tax = billing.cost(CLOSED_MONTH, f"line_item_line_item_type = 'Tax' and {IS_BEDROCK}")
    assert amounts(found.cost_explorer) == {CauseName.TAX: -tax}
    assert found.cur == billing.cost(CLOSED_MONTH)
    all_tax = billing.cost(CLOSED_MONTH, "line_item_line_item_type = 'Tax'")
    assert found.tax_in_cost_explorer == all_tax > tax


def test_invoices_are_bridged_by_what_else_is_on_them(billing: Billing, answers: Answers) -> None:
    aws, marketplace = held(billing, answers).invoices
    other = f"not {IS_BEDROCK} and bill_billing_entity = 'AWS'"
    taxed = f"{other} and line_item_line_item_type = 'Tax'"
    found = amounts(aws)
    assert found[CauseName.OTHER_TAX] == billing.cost(CLOSED_MONTH, taxed)
    assert found[CauseName.OTHER_SERVICES] == (
        billing.cost(CLOSED_MONTH, other) - found[CauseName.OTHER_TAX]
    )
    assert aws.cur == billing.cost(CLOSED_MONTH, f"{IS_BEDROCK} and bill_billing_entity = 'AWS'")
    assert aws.cur + marketplace.cur == billing.cost(CLOSED_MONTH)
    assert abs(found[CauseName.ROUNDING]) < Decimal("0.2")


def test_the_open_month_differs_by_its_newest_days_only(billing: Billing, answers: Answers) -> None:
    found = held(billing, answers, OPEN_MONTH)
    causes = amounts(found.cost_explorer)
    assert found.unexplained == 0
    assert set(causes) == {CauseName.TAX, CauseName.LATER}
    assert causes[CauseName.LATER] < 0  # the bill's data is the later one
    assert (found.is_invoiced, found.invoices) == (False, ())
    assert {row.invoice_id for row in found.invoice_rows} == {""}
    assert found.parts == (BillPart(NOT_INVOICED, found.cur),)


def test_a_month_costs_two_requests_and_then_nothing(billing: Billing, answers: Answers) -> None:
    held(billing, answers)
    held(billing, answers)
    assert billing.cost_explorer.requests_this_month == 2
    assert billing.service.calls.count("ListInvoiceSummaries") == 1


def test_an_unknown_month_is_refused(billing: Billing, answers: Answers) -> None:
    with pytest.raises(UsageProblem):
        held(billing, answers, "2020-01")


def test_demo_mode_answers_from_the_demo_bill(
    billing: Billing, billing_cur: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/demo").mkdir(parents=True)
    (tmp_path / "data/demo/cur").symlink_to(billing_cur)
    monkeypatch.setattr("chargeback.workspace.today", lambda: TODAY)
    workspace = Workspace(Settings())
    workspace.refresh(CLOSED_MONTH)
    found = reconcile(
        workspace.answers(),
        workspace.cost_explorer,
        workspace.invoices,
        View(CLOSED_MONTH, "USD", EVERYTHING),
        TODAY,
    )
    assert len(found.comparisons) == 3
    assert found.unexplained == 0
    assert found.problems == ()
    assert workspace.cost_explorer.requests_this_month == 2


# ---- differences that are really there -----------------------------------------------------------


def test_what_cost_explorer_lacks_stands_unexplained(billing: Billing, answers: Answers) -> None:
    billing.service.change = adding(-ODD, SONNET, "Usage")
    found = held(billing, answers)
    [row] = [row for row in found.services if row.unexplained]
    assert (row.service, row.record_type, row.unexplained) == (SONNET, "Usage", -ODD)
    assert found.cost_explorer
    assert found.cost_explorer.unexplained == -ODD
    assert found.to_look_at == ()


def test_a_line_type_that_only_the_bill_has_stands_unexplained(
    billing: Billing, answers: Answers
) -> None:
    billing.service.change = without("Amazon Bedrock", "Enterprise Discount Program Discount")
    found = held(billing, answers)
    discount = billing.cost(
        CLOSED_MONTH,
        "line_item_line_item_type = 'EdpDiscount' and line_item_product_code = 'AmazonBedrock'",
    )
    assert found.cost_explorer
    assert found.cost_explorer.unexplained == -discount > 0


def test_tax_that_cost_explorer_lacks_is_no_question_of_scope(
    billing: Billing, answers: Answers
) -> None:
    billing.service.change = without(TAX)
    found = held(billing, answers)
    assert CauseName.TAX not in amounts(found.cost_explorer)
    assert found.cost_explorer
    assert found.cost_explorer.unexplained < 0


@pytest.mark.parametrize("amount", [ODD, Decimal("1.00"), Decimal("-1.00")])
def test_what_an_invoice_has_more_stands_unexplained(
    billing: Billing, answers: Answers, amount: Decimal
) -> None:
    def change(operation: str, answer: Json) -> Json:
        if operation == "ListInvoiceSummaries":
            sums = answer["InvoiceSummaries"][0]["BaseCurrencyAmount"]
            sums["TotalAmount"] = str(Decimal(sums["TotalAmount"]) + amount)
        return answer

    billing.service.change = change
    aws, marketplace = held(billing, answers).invoices
    assert CauseName.ROUNDING not in amounts(aws)
    assert abs(aws.unexplained - amount) < CENT_ROUNDING * 60
    assert marketplace.unexplained == 0


def test_products_and_credits_of_one_source_are_suspects(
    billing: Billing, answers: Answers
) -> None:
    drop = without(SONNET), without("Amazon Bedrock", "Credit")
    billing.service.change = lambda name, answer: drop[1](name, drop[0](name, answer))
    found = held(billing, answers)
    causes = amounts(found.cost_explorer)
    assert {CauseName.UNRECOGNISED, CauseName.CREDITS} < set(causes)
    assert causes[CauseName.CREDITS] == 250
    suspects = {cause.name: cause for cause in found.to_look_at}
    assert set(suspects) == {CauseName.UNRECOGNISED, CauseName.CREDITS}
    assert SONNET in suspects[CauseName.UNRECOGNISED].sentence


def test_an_edition_that_the_bill_does_not_know_is_named(
    billing: Billing, answers: Answers
) -> None:
    strange = "Claude Next (Amazon Bedrock Edition)"

    def rename(group: Json) -> bool:
        group["Keys"] = [strange if key == "Amazon Bedrock" else key for key in group["Keys"]]
        return True

    billing.service.change = of_groups(rename)
    found = held(billing, answers)
    assert all(comparison.unexplained == 0 for comparison in found.comparisons[:1])
    suspects = [cause.name for comparison in found.comparisons for cause in comparison.causes]
    assert suspects.count(CauseName.UNRECOGNISED) > 1
    assert [cause.name for cause in found.to_look_at] == [CauseName.UNRECOGNISED]
    assert strange in found.to_look_at[0].detail


# ---- sources that do not answer ------------------------------------------------------------------


def refusing(operation: str) -> Callable[[str, Json], Json]:
    def refuse(asked: str, answer: Json) -> Json:
        if asked == operation:
            raise Refused("AccessDeniedException", "")
        return answer

    return refuse


def test_without_invoices_cost_explorer_is_compared(billing: Billing, answers: Answers) -> None:
    billing.service.change = refusing("ListInvoiceSummaries")
    found = held(billing, answers)
    assert [c.other for c in found.comparisons] == ["Cost Explorer"]
    assert "invoicing:ListInvoiceSummaries" in found.problems[0].what
    assert all(row.total is None and row.difference is None for row in found.invoice_rows)


def test_without_cost_explorer_invoices_are_shown_but_not_compared(
    billing: Billing, answers: Answers
) -> None:
    billing.service.change = refusing("GetCostAndUsage")
    found = held(billing, answers)
    assert (found.cost_explorer, found.services, found.comparisons) == (None, (), ())
    assert "ce:GetCostAndUsage" in found.problems[0].what
    rows = [row for row in found.invoice_rows if row.invoice]
    assert len(rows) == 2
    assert all(row.difference == (row.total or 0) - row.cur for row in rows)


def test_what_keeps_both_from_answering_is_said_once(billing: Billing, answers: Answers) -> None:
    billing.service.refuse("ExpiredToken")
    found = held(billing, answers)
    assert [problem.what for problem in found.problems] == ["The AWS credentials have expired."]
    assert found.parts  # the bill's own


def test_another_accounts_credentials_are_noticed(billing: Billing, answers: Answers) -> None:
    def euros(group: Json) -> bool:
        for metric in group["Metrics"].values():
            metric["Unit"] = "EUR"
        return True

    billing.service.change = of_groups(euros)
    found = held(billing, answers)
    assert "nothing in USD" in found.problems[0].what
    assert found.comparisons == ()
