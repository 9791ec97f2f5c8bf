"""What stands in the way of closing a month, and what must be known of it all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from chargeback.dimensions import CHARGED, UNALLOCATED
from chargeback.errors import distinct
from chargeback.formats import count, money, percent
from chargeback.money import exact_sum, share_of
from chargeback.notices import blocking
from chargeback.reconciliation.compare import Reconciliation
from chargeback.reports.answers import Answers
from chargeback.reports.period_status import notices_of
from chargeback.statement.build import Statement
from chargeback.statement.documents import Despite

NOT_RECONCILED, TOO_MUCH_UNALLOCATED = "not-reconciled", "unallocated-limit"
OWN_CODES = (NOT_RECONCILED, TOO_MUCH_UNALLOCATED)
"""What blocks beside notices; `--despite` takes both."""


def blockers(
    answers: Answers,
    statements: Sequence[Statement],
    found: Iterable[Reconciliation],
    limit: Decimal | None,
) -> list[Despite]:
    """What stands in the way of closing a month.

    Args:
        answers: over the store.
        statements: of the month, by each kind of unit that it is closed by.
        found: what came of reconciling it, in each currency.
        limit: the share of a statement that may be unallocated; None for any.
    """
    month = statements[0].billing_period
    return [
        *(
            Despite(code=each.code, words=each.words, amount=each.amount, currency=each.currency)
            for each in blocking(notices_of(answers, month))
        ),
        *(each for result in found for each in _unexplained(result)),
        *(each for statement in statements for each in _unallocated(statement, limit)),
    ]


def _unexplained(found: Reconciliation) -> Iterator[Despite]:
    for each in found.comparisons:
        if each.unexplained:
            yield Despite(
                code=NOT_RECONCILED,
                words=f"{each.other} and the bill differ by "
                f"{money(each.unexplained, found.currency)} that nothing explains: see "
                "Reconciliation.",
                amount=each.unexplained,
                currency=found.currency,
            )


def _unallocated(statement: Statement, limit: Decimal | None) -> Iterator[Despite]:
    for currency in statement.bill if limit is not None else ():
        total = exact_sum(statement.totals(currency))
        open_ = total - statement.charged_to_units(currency)
        share = share_of(open_, total)
        if share is not None and limit is not None and abs(share) > limit:
            dimension = CHARGED[statement.bill_to_type]
            yield Despite(
                code=TOO_MUCH_UNALLOCATED,
                words=f"{money(open_, currency)} ({percent(share)}) is charged to no "
                f"{dimension.noun}: {UNALLOCATED} may be at most {percent(limit)}.",
                amount=open_,
                currency=currency,
            )


def remarks(answers: Answers, month: str, found: Iterable[Reconciliation]) -> list[str]:
    """What does not stand in the way, and must be known: what was not reconciled or invoiced."""
    problems = distinct(problem for each in found for problem in each.problems)
    said = [f"Not, or not fully, reconciled: {problem.what}" for problem in problems]
    if not_invoiced := answers.bill(month).not_invoiced:
        lines = count(not_invoiced, "CUR line")
        said.append(f"Not on an invoice yet: {lines} with a cost.")
    return said
