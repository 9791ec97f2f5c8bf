"""The monthly statement: who is charged what, rounded so that it adds up every way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Any

from chargeback.dimensions import CHARGED, UNALLOCATED, unallocated_last
from chargeback.errors import Problem, UsageProblem
from chargeback.money import CENT, ZERO, exact_sum
from chargeback.notices import Notice, notice
from chargeback.reports.answers import Answers
from chargeback.reports.charges import allocation_lines, charges_by_unit
from chargeback.reports.period_status import notices_of, status_of
from chargeback.reports.view import View
from chargeback.statement.allocation import (
    SHARED,
    Allocation,
    Part,
    allocate,
    allocated_parts,
    columns_asked,
)
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.documents import CloseNote, Document, DocumentSet
from chargeback.statement.rounding import round_two_way

SCHEMA_VERSION, WITH_DOCUMENTS = "1", "2"
WITHOUT_EFFECT = "rule-without-effect"
DIRECT = AllocationSettings()
"""Every line stays with the unit that it names."""
MONEY = (
    "usage_cost",
    "discount_amount",
    "credit_amount",
    "refund_amount",
    "tax_amount",
    "other_amount",
    "shared_cost",
)
ABOUT = (
    "schema_version",
    "billing_period",
    "period_status",
    "data_as_of_utc",
    "bill_to_type",
    "bill_to",
    "cost_center",
    "currency",
)
"""The columns before the amounts, of an accrual too."""
COLUMNS = (
    *ABOUT,
    *MONEY,
    "total_charge",
)
DOCUMENT_COLUMNS = (
    "document_type",
    "document_id",
    "original_document_id",
    "adjustment_amount",
    "amount_due",
    "methodology_version",
)
"""Follow once a month is closed."""


@dataclass(frozen=True, slots=True)
class Charge:
    """One row of a statement: a unit's amounts in the order of MONEY, in cents."""

    bill_to: str
    cost_center: str
    currency: str
    amounts: tuple[Decimal, ...]

    @property
    def total(self) -> Decimal:
        """What the unit is charged: the sum of its amounts."""
        return sum(self.amounts, ZERO)


@dataclass(frozen=True, slots=True)
class Statement:
    """All charges of a month, `(unallocated)` last in each currency."""

    view: View
    period_status: str
    """As `status_of` has it."""
    data_as_of: datetime
    bill_to_type: str
    charges: Sequence[Charge]
    bill: dict[str, Decimal]
    """The exact bill in each currency."""
    direct: Mapping[tuple[str, str], Mapping[str, Decimal]] = field(default_factory=dict)
    """By currency and unit: what its own lines come to in each column, before any move, exact."""
    settings: AllocationSettings = DIRECT
    """What follows usage, and the rules in force."""
    allocation: Allocation = field(default_factory=Allocation)
    """What moved between units."""
    notices: tuple[Notice, ...] = ()
    """What is known of the month and of its allocation."""
    methodology: str = ""
    """Fingerprint of the rules that decided who pays, and of the allocation."""
    documents: DocumentSet | None = None
    """What is posted by it, or is going to be; None while no month was ever closed."""
    closed: CloseNote | None = None
    """Who closed the month; None while it is open."""
    derived_after_close: bool = False
    """Whether it was made out to another kind of unit after its month was closed."""

    @property
    def billing_period(self) -> str:
        """YYYY-MM."""
        return self.view.month

    @property
    def by_amount(self) -> list[Charge]:
        """The charges by amount, `(unallocated)` last in each currency."""
        return sorted(self.charges, key=_by_amount)

    @property
    def without_effect(self) -> tuple[Notice, ...]:
        """Of the notices those about rules that took nothing."""
        return tuple(each for each in self.notices if each.code == WITHOUT_EFFECT)

    def totals(self, currency: str) -> list[Decimal]:
        """The sum of each money column in one currency, in the order of MONEY."""
        mine = [charge.amounts for charge in self.charges if charge.currency == currency]
        return [sum(column, ZERO) for column in zip(*mine, strict=True)]

    def difference(self, currency: str) -> Decimal:
        """The bill rounded to cents, less what the statement charges: 0.00 if it ties."""
        bill = self.bill[currency].quantize(CENT, ROUND_HALF_UP)
        return bill - sum(self.totals(currency), ZERO)

    def charged_to_units(self, currency: str) -> Decimal:
        """What is charged in one currency to units with a name; the rest is unallocated."""
        mine = (each for each in self.charges if each.currency == currency)
        return sum((each.total for each in mine if each.bill_to != UNALLOCATED), ZERO)

    def exact_charges(self) -> dict[tuple[str, str], Decimal]:
        """By currency and unit: what each is charged before rounding."""
        moved = self.allocation.changes()
        return {
            at: exact_sum((*self.direct.get(at, {}).values(), *moved.get(at, {}).values()))
            for at in ((charge.currency, charge.bill_to) for charge in self.charges)
        }

    @property
    def documents_by_unit(self) -> dict[tuple[str, str], Document]:
        """By currency and unit: its document."""
        return self.documents.by_unit() if self.documents else {}

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the statement file."""
        return COLUMNS if self.documents is None else COLUMNS + DOCUMENT_COLUMNS

    def rows(self) -> Iterator[list[Any]]:
        """The rows of the statement file, in the order of `columns`."""
        documents = self.documents_by_unit
        version = SCHEMA_VERSION if self.documents is None else WITH_DOCUMENTS
        for charge in self.charges:
            document = documents.get((charge.currency, charge.bill_to))
            yield [
                version,
                self.billing_period,
                self.period_status,
                f"{self.data_as_of:%Y-%m-%dT%H:%M:%SZ}",
                self.bill_to_type,
                charge.bill_to,
                charge.cost_center,
                charge.currency,
                *charge.amounts,
                charge.total,
                *(_document_cells(document, self.methodology) if document else ()),
            ]


def _document_cells(document: Document, methodology: str) -> Iterator[Any]:
    yield document.document_type
    yield document.document_id
    yield document.original_document_id
    yield document.adjustment_amount
    yield document.amount_due
    yield methodology


def no_charge(currency: str, unit: str, by: str) -> Charge:
    """Of a unit that is charged nothing: in its own cost center where it is one."""
    cost_center = unit if by == "cost_center" and unit != UNALLOCATED else ""
    return Charge(unit, cost_center, currency, (CENT * 0,) * len(MONEY))


def with_documents(statement: Statement, documents: DocumentSet) -> Statement:
    """A statement with what is posted by it: each document is a row, of a charge or of none."""
    known = {(each.currency, each.bill_to): each for each in statement.charges}
    added = [
        no_charge(each.currency, each.bill_to, statement.bill_to_type)
        for each in documents.documents
        if (each.currency, each.bill_to) not in known
    ]
    charges = sorted(
        (*known.values(), *added),
        key=lambda charge: unallocated_last((charge.currency, charge.bill_to)),
    )
    bill = {charge.currency: ZERO for charge in added} | statement.bill
    return replace(statement, charges=charges, bill=bill, documents=documents)


def methodology_of(rules: str, allocation: AllocationSettings) -> str:
    """Changes when somebody decided otherwise, of who pays or of what moves.

    Args:
        rules: the fingerprint of the rules of who pays.
        allocation: what follows usage, and the rules of what moves.
    """
    if not allocation.is_set:
        return rules
    said = json.dumps(allocation.describe(), sort_keys=True)
    return hashlib.sha256(f"{rules}|{said}".encode()).hexdigest()[:16]


def build_statement(
    answers: Answers,
    view: View,
    by: str,
    today: date,
    allocation: AllocationSettings = DIRECT,
) -> Statement:
    """The statement of a month made out to one kind of unit.

    Args:
        answers: the figures.
        view: all of the month that the reader may see.
        by: a key of CHARGED.
        today: the date in UTC.
        allocation: what follows usage, and the rules.

    Raises:
        UsageProblem: `by` is no unit, or the store does not hold the month.
        Problem: the parts do not add up to the bill; nothing may be charged on such figures.
    """
    if by not in CHARGED:
        raise UsageProblem(
            f"A statement can't be made by {by!r}.", todo=f"Use {', '.join(CHARGED)}."
        )
    manifest, bill = answers.manifest(view.month), answers.bill(view.month).totals
    found = charges_by_unit(answers, view, CHARGED[by].name).to_pylist()
    moved = _allocate(answers, view, by, allocation)
    exact = _moved(found, moved, by)
    _check_it_ties(exact, bill)
    charges = [
        charge
        for currency, rows in groupby(exact, key=lambda row: row["currency"])
        for charge in _rounded(currency, list(rows))
    ]
    if not charges:  # a month without any Bedrock line still has its last row
        charges = [no_charge("", UNALLOCATED, by)]
    return Statement(
        view=view,
        period_status=status_of(answers, view.month, today),
        data_as_of=manifest.data_as_of,
        bill_to_type=by,
        charges=charges,
        bill=bill,
        direct={(row["currency"], row["unit"]): _amounts(row) for row in found},
        settings=allocation,
        allocation=moved,
        notices=(*notices_of(answers, view.month), *_without_effect(moved, by)),
        methodology=methodology_of(answers.rules.fingerprint, allocation),
    )


def exact_charges(
    answers: Answers, view: View, by: str, allocation: AllocationSettings
) -> dict[tuple[str, str], Decimal]:
    """What a statement charges by currency and unit, before rounding; (unallocated) last."""
    found = charges_by_unit(answers, view, CHARGED[by].name).to_pylist()
    rows = _moved(found, _allocate(answers, view, by, allocation), by)
    return {
        (row["currency"], row["unit"]): exact_sum(row[column] for column in MONEY) for row in rows
    }


def parts_of(answers: Answers, statement: Statement) -> list[Part]:
    """Where each line of a statement's month goes, as its rules tell lines apart."""
    view, by, settings = statement.view, statement.bill_to_type, statement.settings
    lines = _lines(answers, view, by, settings)
    return allocated_parts(lines, settings, by, view.month)


def _by_amount(charge: Charge) -> tuple[str, bool, Decimal, str]:
    return charge.currency, charge.bill_to == UNALLOCATED, -charge.total, charge.bill_to


def _allocate(answers: Answers, view: View, by: str, settings: AllocationSettings) -> Allocation:
    if not settings.following and not settings.rules_for(by, view.month):
        return Allocation()
    return allocate(_lines(answers, view, by, settings), settings, by, view.month)


def _lines(
    answers: Answers, view: View, by: str, settings: AllocationSettings
) -> list[dict[str, Any]]:
    columns = columns_asked(settings, by, view.month)
    lines = allocation_lines(answers, view, CHARGED[by].name, columns)
    rows: list[dict[str, Any]] = lines.to_pylist()
    return rows


def _moved(found: list[dict[str, Any]], moved: Allocation, by: str) -> list[dict[str, Any]]:
    """What each unit is charged, exact: its own lines and what moved; (unallocated) last."""
    rows = {(row["currency"], row["unit"]): {**row, **_amounts(row)} for row in found}
    for (currency, unit), changes in moved.changes().items():
        row = rows.setdefault((currency, unit), _new_row(currency, unit, by))
        for column, amount in changes.items():
            row[column] = exact_sum((row[column], amount))
    for currency in {currency for currency, _ in rows}:
        rows.setdefault((currency, UNALLOCATED), _new_row(currency, UNALLOCATED, by))
    return [rows[at] for at in sorted(rows, key=unallocated_last)]


def _new_row(currency: str, unit: str, by: str) -> dict[str, Any]:
    """A unit without a line of its own."""
    is_named = by == "cost_center" and unit != UNALLOCATED
    return {
        "currency": currency,
        "unit": unit,
        "cost_centers": int(is_named),
        "cost_center": unit if is_named else "",
        **dict.fromkeys(MONEY, ZERO),
    }


def _amounts(row: Mapping[str, Any]) -> dict[str, Decimal]:
    return {column: row.get(column, ZERO) for column in MONEY}


def _without_effect(moved: Allocation, by: str) -> Iterator[Notice]:
    for rule in moved.without_effect:
        yield notice(WITHOUT_EFFECT, rule=rule.title, by=by.replace("_", " "))


def _rounded(currency: str, rows: list[dict[str, Any]]) -> Iterator[Charge]:
    exact = [[row[column] for column in MONEY] for row in rows]
    for row, amounts in zip(rows, round_two_way(exact), strict=True):
        cost_center = row["cost_center"] if row["cost_centers"] == 1 else ""
        yield Charge(row["unit"], cost_center, currency, tuple(amounts))


def _check_it_ties(rows: list[dict[str, Any]], bill: dict[str, Decimal]) -> None:
    for currency, total in bill.items():
        mine = [row for row in rows if row["currency"] == currency]
        parts = exact_sum(row[column] for row in mine for column in MONEY)
        shared = exact_sum(row[SHARED] for row in mine)
        if parts != total or shared:
            raise Problem(
                f"The statement does not add up to the bill in {currency}: {parts} of {total}.",
                "Do not charge it.",
                "Refresh the month; if the problem remains, report it as a bug in this program.",
            )
