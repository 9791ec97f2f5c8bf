"""Asks the store for all that the statements of a month's units are made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from chargeback.billing_period import months_until, previous_month
from chargeback.dimensions import BY_NAME, CHARGED, Dimension
from chargeback.money import exact_sum
from chargeback.reports.answers import Answers
from chargeback.reports.charges import unit_parts
from chargeback.reports.summary import HISTORY_MONTHS
from chargeback.reports.view import View
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import Statement, build_statement
from chargeback.statement.charge_parts import ChargePart, Unit, charge_parts
from chargeback.statement.unit_names import names_of
from chargeback.statement.unit_reasons import reasons
from chargeback.statement.unit_settings import StatementSettings
from chargeback.statement.unit_statement import Charged, UnitStatements, Used

LARGEST = 5
"""Callers and models that stand by themselves."""
CALLERS, MODELS, TOKEN_TYPES = (BY_NAME[x] for x in ("iam_principal", "model", "token_type"))
PARTS = {CALLERS: "principal", MODELS: "model", TOKEN_TYPES: "token_type"}
"""What a split asks for: the sessions of a role are one caller."""

Rows = dict[Unit, list[Mapping[str, Any]]]


def gather(  # noqa: PLR0913, PLR0917
    answers: Answers,
    view: View,
    by: str,
    today: date,
    allocation: AllocationSettings,
    settings: StatementSettings,
    *,
    only: str | None = None,
) -> UnitStatements:
    """All that the statements of a month's units are made of.

    Args:
        answers: the figures.
        view: all of the month that the reader may see.
        by: a key of CHARGED.
        today: the date in UTC.
        allocation: what follows usage, and the rules.
        settings: what is said of objections.
        only: the one unit whose statement is wanted; None for all.

    Raises:
        UsageProblem: `by` is no unit, or the store does not hold the month.
        Problem: the parts do not add up to the bill.
    """
    statement = build_statement(answers, view, by, today, allocation)
    months = months_until(view.month, HISTORY_MONTHS)
    splits = {each: _rows(answers, view, by, each) for each in _splits(by)}
    before = replace(view, month=previous_month(view.month))
    return UnitStatements(
        statement=statement,
        today=today,
        settings=settings,
        named=names_of(answers, view, by),
        parts=charge_parts(statement),
        charged={
            month: charged_in(answers, replace(view, month=month), by, today, allocation)
            for month in months
            if month in answers.months
        },
        splits=splits,
        used=_used(next(iter(splits.values()))),
        used_last=_used(_rows(answers, before, by, TOKEN_TYPES)),
        reasons=dict(_reasons(answers, statement, only)),
        months=months,
    )


def charged_in(
    answers: Answers, view: View, by: str, today: date, allocation: AllocationSettings
) -> Mapping[Unit, Charged]:
    """What every unit was charged in a month under these rules; worked out once."""
    return answers.made_once(_charged_in, view, by, today, allocation)


def _charged_in(
    answers: Answers, view: View, by: str, today: date, allocation: AllocationSettings
) -> Mapping[Unit, Charged]:
    parts = charge_parts(build_statement(answers, view, by, today, allocation))
    return {unit: _charged(found) for unit, found in parts.items()}


def _charged(parts: Iterable[ChargePart]) -> Charged:
    own, moved = Decimal("0.00"), Decimal("0.00")
    for part in parts:
        own, moved = (own + part.amount, moved) if part.is_own else (own, moved + part.amount)
    return Charged(own, own + moved)


def _splits(by: str) -> list[Dimension]:
    """Callers and models; a caller and a model by token types in place of themselves."""
    return [TOKEN_TYPES if each == CHARGED[by] else each for each in (CALLERS, MODELS)]


def _rows(answers: Answers, view: View, by: str, split: Dimension) -> Rows:
    rows: Rows = defaultdict(list)
    for row in unit_parts(answers, view, CHARGED[by].name, PARTS[split], LARGEST).to_pylist():
        rows[row["currency"], row["unit"]].append(row)
    return rows


def _used(rows: Rows) -> dict[Unit, Used]:
    return {
        unit: Used(
            exact_sum(row["tokens"] for row in found), exact_sum(row["token_cost"] for row in found)
        )
        for unit, found in rows.items()
    }


def _reasons(
    answers: Answers, statement: Statement, only: str | None
) -> Iterable[tuple[Unit, str]]:
    dimension, view = CHARGED[statement.bill_to_type].name, statement.view
    for currency in statement.bill:
        units = [each.bill_to for each in statement.charges if each.currency == currency]
        asked = [unit for unit in units if only in (None, unit)]
        mine = replace(view, currency=currency, all_currencies=False)
        for unit, reason in reasons(answers, mine, dimension, asked).items():
            yield (currency, unit), reason
