"""Who pays an estimate whose unit gives to others: those who pay for what it held this month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction

from chargeback.money import ZERO
from chargeback.statement.accrual_estimate import NOTHING, Amounts
from chargeback.statement.allocation import SHARED
from chargeback.statement.build import MONEY, Statement

Holders = Mapping[str, Amounts]
"""By unit that rules took from: who holds now what it held before them, itself included."""


def holders(statement: Statement, currency: str) -> Holders:
    """Who holds what the units of a statement held before its rules, exact."""
    found: dict[str, Amounts] = defaultdict(lambda: defaultdict(Fraction))
    for move in statement.allocation.moves:
        if (move.column, move.currency) == (SHARED, currency):
            found[move.from_unit][move.to_unit] += Fraction(move.amount)
    held = _held_before_rules(statement, currency)
    for unit, parts in found.items():
        parts[unit] += held[unit] - sum(parts.values(), NOTHING)
    return found


def _held_before_rules(statement: Statement, currency: str) -> Amounts:
    """What each unit's own lines come to, and what followed usage to it or away."""
    found: Amounts = defaultdict(Fraction)
    for amounts in (statement.direct, statement.allocation.changes()):
        for (of, unit), columns in amounts.items():
            if of == currency:
                found[unit] += sum(Fraction(columns.get(c, ZERO)) for c in MONEY if c != SHARED)
    return found


def allocated(amounts: Amounts, holders: Holders) -> Amounts:
    """The same amounts, in the hands of those who hold what such a unit held."""
    found: Amounts = defaultdict(Fraction)
    for unit, amount in amounts.items():
        parts = {to: part for to, part in holders.get(unit, {}).items() if part > 0}
        whole = sum(parts.values(), NOTHING)
        for to, part in parts.items():
            found[to] += amount * part / whole
        if not parts:
            found[unit] += amount
    return dict(found)
