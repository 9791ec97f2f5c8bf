"""What stands behind a statement: what each unit is charged, the lines, and the invoices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pyarrow as pa

from chargeback.reports.answers import Answers
from chargeback.reports.view import View


def charges_by_unit(answers: Answers, view: View, dimension: str) -> pa.Table:
    """What each unit is charged, exact: queries/reports/charges.sql."""
    return answers.ask("charges", view.grain, view, dimension=dimension)


def unit_parts(answers: Answers, view: View, dimension: str, part: str, longest: int) -> pa.Table:
    """What each unit's spend is made of: queries/reports/unit_parts.sql."""
    return answers.ask(
        "unit_parts", view.grain, view, dimension=dimension, part=part, longest=longest
    )


def allocation_lines(
    answers: Answers, view: View, dimension: str, columns: Sequence[str]
) -> pa.Table:
    """What can move between units: queries/reports/allocation_lines.sql."""
    return answers.ask(
        "allocation_lines", view.grain, view, dimension=dimension, columns=list(columns)
    )


def detail(answers: Answers, view: View) -> pa.RecordBatchReader:
    """The lines behind a statement, streamed: queries/reports/detail.sql."""
    return answers.stream("detail", "daily", view)


def focus_charges(answers: Answers, view: View, dimension: str) -> pa.RecordBatchReader:
    """The charges of a FOCUS file, streamed: queries/reports/focus.sql."""
    return answers.stream("focus", "daily", view, dimension=dimension)


def invoice_totals(answers: Answers, view: View) -> pa.Table:
    """What the month comes to on each invoice: queries/reports/invoice_totals.sql."""
    return answers.ask("invoice_totals", "daily", view)


def invoice_charges(answers: Answers, view: View) -> pa.Table:
    """The same by kind of charge: queries/reports/invoice_charges.sql."""
    return answers.ask("invoice_charges", "daily", view)


def bill_by_product(answers: Answers, view: View, since: date | None) -> pa.Table:
    """The month cut as other sources count it: queries/reports/bill_by_product.sql."""
    return answers.ask("bill_by_product", "daily", view, since=since)


def billed_elsewhere(answers: Answers, view: View) -> pa.Table:
    """What is dated in the month, but billed in another: queries/reports/billed_elsewhere.sql."""
    stored = sorted(period.manifest.billing_period for period in answers.periods)
    months = replace(view, month=stored[-1], first_month=stored[0])
    return answers.ask("billed_elsewhere", "daily", months, dated_in=view.month)


def payers(answers: Answers, view: View) -> set[str]:
    """The accounts that pay a month's bill."""
    accounts = bill_by_product(answers, view, None)["payer_account_id"].to_pylist()
    return {account for account in accounts if account}
