"""The page about running costs has the figures of the calculation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from chargeback.doctor.running_cost import (
    GB,
    MB,
    ORGANISATIONS,
    PRICE_TO_KEEP,
    PRICE_TO_READ,
    PRICE_TO_WRITE,
    Asked,
    Organisation,
    asked_in_a_month,
    usual_costs,
)
from chargeback.sources.athena.costs import LEAST_BYTES, PRICE_PER_TERABYTE
from chargeback.sources.athena.table import AthenaTable
from chargeback.sources.billing.answers import TRUE_FOR_CLOSED, TRUE_FOR_OPEN
from chargeback.sources.billing.cost_explorer import PRICE

PAGE = (Path(__file__).parents[2] / "docs" / "running-cost.md").read_text("utf-8")
HEADINGS = [each.name for each in ORGANISATIONS]


def table(first: str, rows: Sequence[Sequence[str]], headings: Sequence[str] = HEADINGS) -> str:
    """As Markdown has it; all columns but the first are numbers."""
    rules = ["---", *("--:" for _ in headings)]
    return "\n".join(f"| {' | '.join(row)} |" for row in ([first, *headings], rules, *rows))


def totals(*, is_store_in_athena: bool) -> str:
    rows = [
        [each.name, *(f"${amount:,.2f}" for amount in (*parts, each.total))]
        for each in usual_costs(is_store_in_athena=is_store_in_athena)
        for parts in [(each.athena, each.cost_explorer, each.s3 or Decimal())]
    ]
    return table("organisation", rows, ["Athena", "Cost Explorer", "S3", "a month"])


def assumed() -> str:
    def row(words: str, value: Callable[[Organisation], object]) -> list[str]:
        return [words, *(f"{value(each):,}" for each in ORGANISATIONS)]

    return table(
        "in a month",
        [
            row("days on which somebody looks", lambda of: of.days),
            row("hours of such a day", lambda of: of.hours),
            row("pages drawn in such a day", lambda of: of.pages),
            row("of them not seen since the bill changed", lambda of: of.views),
            row("deliveries of the bill in such a day", lambda of: of.deliveries),
            row("Reconciliation of the open month, times in such a day", lambda of: of.reconciled),
            row("the month before, days", lambda of: of.month_end),
            row("Setup, days", lambda of: of.setups),
            row("commands", lambda of: of.commands),
            row("lists of single CUR lines", lambda of: of.line_lists),
            row("pages in an answer of Cost Explorer", lambda of: of.answer_pages),
            row("billing periods kept", lambda of: of.months),
            row("one of them in the export, MB", lambda of: of.bill.delivered // MB),
            row("scanned to read it, MB", lambda of: of.bill.scanned // MB),
        ],
    )


def asked(*, is_store_in_athena: bool) -> str:
    found = [asked_in_a_month(of, is_store_in_athena=is_store_in_athena) for of in ORGANISATIONS]

    def row(words: str, value: Callable[[Asked], int | Decimal]) -> list[str]:
        return [words, *(f"{value(each):,}" for each in found)]

    def number(at: int) -> Callable[[Asked], int]:
        return lambda each: each.queries[at].number

    queries = [row(f"{q.what}, queries", number(at)) for at, q in enumerate(found[0].queries)]
    return table(
        "in a month",
        [
            *queries,
            row(
                "scanned by all of them, GB",
                lambda each: sum(q.number * q.bytes_each for q in each.queries) // GB,
            ),
            row("Cost Explorer, requests", lambda each: each.cost_explorer),
            row("S3, requests that write or list", lambda each: each.s3.writes),
            row("S3, requests that read", lambda each: each.s3.reads),
            row("the same by Athena itself, write or list", lambda each: each.s3_by_athena.writes),
            row("the same by Athena itself, read", lambda each: each.s3_by_athena.reads),
            row("kept in S3, GB", lambda each: round(Decimal(each.kept) / GB, 1)),
        ],
    )


@pytest.mark.parametrize("is_in_athena", [False, True], ids=["disk", "athena"])
def test_the_page_has_the_figures(is_in_athena: bool) -> None:
    assert totals(is_store_in_athena=is_in_athena) in PAGE
    assert asked(is_store_in_athena=is_in_athena) in PAGE
    assert assumed() in PAGE


def test_the_page_has_the_prices_and_how_long_answers_are_kept() -> None:
    assert f"${PRICE_PER_TERABYTE} per TB scanned, at least {LEAST_BYTES // MB} MB a query" in PAGE
    assert f"${PRICE} a request" in PAGE
    assert f"${PRICE_TO_WRITE * 1000} per 1,000" in PAGE
    assert f"${PRICE_TO_READ * 1000} per 1,000" in PAGE
    assert f"${PRICE_TO_KEEP} per GB" in PAGE
    assert AthenaTable.recheck_seconds == 3600
    assert TRUE_FOR_OPEN.total_seconds() == 8 * 3600
    assert TRUE_FOR_CLOSED.total_seconds() == 24 * 3600


def test_a_middle_organisation_pays_less_than_two_dollars() -> None:
    _, middle, _ = usual_costs(is_store_in_athena=False)
    assert middle.total < 2
