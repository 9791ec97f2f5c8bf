"""Asks the store for all that the statements of a month's units are made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from chargeback.billing_period import previous_month
from chargeback.dimensions import BY_NAME, CHARGED, Dimension
from chargeback.money import exact_sum
from chargeback.reports.answers import Answers
from chargeback.reports.charges import unit_parts
from chargeback.reports.view import View
from chargeback.statement.build import Statement
from chargeback.statement.charge_parts import Unit, charge_parts
from chargeback.statement.unit_names import names_of
from chargeback.statement.unit_reasons import reasons
from chargeback.statement.unit_settings import StatementSettings
from chargeback.statement.unit_statement import Charged, UnitStatements, Used, history_of

LARGEST = 5
"""Callers and models that stand by themselves."""
CALLERS, MODELS, TOKEN_TYPES = (BY_NAME[x] for x in ("iam_principal", "model", "token_type"))
PARTS = {CALLERS: "principal", MODELS: "model", TOKEN_TYPES: "token_type"}
"""What a split asks for: the sessions of a role are one caller."""

Rows = dict[Unit, list[Mapping[str, Any]]]


def gather(  # noqa: PLR0913
    answers: Answers,
    statement: Statement,
    charged: Mapping[str, Mapping[Unit, Charged]],
    today: date,
    settings: StatementSettings,
    *,
    only: str | None = None,
) -> UnitStatements:
    """All that the statements of a month's units are made of.

    Args:
        answers: the figures that the statement was made of.
        statement: of the month, and all of it that the reader may see.
        charged: what each unit was charged in the months of `history_of` that are known.
        today: the date in UTC.
        settings: what is said of objections.
        only: the one unit whose statement is wanted; None for all.
    """
    view, by = statement.view, statement.bill_to_type
    splits = {each: _rows(answers, view, by, each) for each in _splits(by)}
    before = replace(view, month=previous_month(view.month))
    return UnitStatements(
        statement=statement,
        today=today,
        settings=settings,
        named=names_of(answers, view, by),
        parts=charge_parts(statement),
        charged=charged,
        splits=splits,
        used=_used(next(iter(splits.values()))),
        used_last=_used(_rows(answers, before, by, TOKEN_TYPES)),
        reasons=dict(_reasons(answers, statement, only)) if before.month in answers.months else {},
        months=history_of(view.month),
    )


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
