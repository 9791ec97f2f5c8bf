"""How each charge is made up, in cents: of a unit's own lines, and of what rules moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from chargeback.money import EXACT, ZERO, in_cents
from chargeback.statement.allocation import COLUMN_OF, SHARED, Move
from chargeback.statement.build import MONEY, Charge, Statement
from chargeback.statement.column_words import HEADINGS

Unit = tuple[str, str]
"""Currency and unit."""


@dataclass(frozen=True, slots=True)
class ChargePart:
    """A part of a charge, in cents of its currency."""

    label: str
    """What it is: 'Usage', or the name of the rule that moved it."""
    amount: Decimal
    column: str = ""
    """Of the statement; '' for a part of several."""
    is_own: bool = True
    """Whether the unit's own lines make it up."""
    gives: bool = False
    """Whether it went to others; else it came from them."""
    others: tuple[str, ...] = ()
    """The units that it came from or went to."""


@dataclass(slots=True)
class _Pile:
    """What one rule moved to a unit, or from it, in one column, exact."""

    column: str
    label: str
    amount: Decimal = ZERO
    gives: bool = False
    others: set[str] = field(default_factory=set)

    def add(self, other: str, amount: Decimal) -> None:
        self.amount = EXACT.add(self.amount, amount)
        self.others.add(other)


Piles = dict[tuple[str, str, bool], _Pile]
"""By rule, column, and whether the unit gives."""


def charge_parts(statement: Statement) -> dict[Unit, list[ChargePart]]:
    """The parts of every charge, in the order of the statement's columns.

    They add up to the charge, and those of a column to its cell.
    """
    moved = _moved(statement)
    return {
        (charge.currency, charge.bill_to): list(_parts(statement, charge, moved))
        for charge in statement.charges
    }


def _moved(statement: Statement) -> dict[Unit, Piles]:
    found: dict[Unit, Piles] = defaultdict(dict)
    for move in statement.allocation.moves:
        if move.from_unit != move.to_unit:
            _pile(found[move.currency, move.from_unit], move, gives=True).add(
                move.to_unit, move.amount.copy_negate()
            )
            _pile(found[move.currency, move.to_unit], move, gives=False).add(
                move.from_unit, move.amount
            )
    return found


def _pile(piles: Piles, move: Move, *, gives: bool) -> _Pile:
    at = (move.rule_id, move.column, gives)
    if at not in piles:
        piles[at] = _Pile(move.column, _label(move), gives=gives)
    return piles[at]


def _label(move: Move) -> str:
    """The rule's name; where a line's net cost takes a discount off, that follows it."""
    if move.column in (SHARED, COLUMN_OF.get(move.rule_id)):
        return move.rule_name
    return f"{move.rule_name}: {HEADINGS[move.column].lower()}"


def _parts(
    statement: Statement, charge: Charge, moved: Mapping[Unit, Piles]
) -> Iterator[ChargePart]:
    unit = (charge.currency, charge.bill_to)
    own, piles = statement.direct.get(unit, {}), list(moved.get(unit, {}).values())
    for column, cell in zip(MONEY, charge.amounts, strict=True):
        exact = [_Pile(column, HEADINGS[column], own.get(column, ZERO))]
        exact += [pile for pile in piles if pile.column == column]
        exact = [pile for pile in exact if pile.amount]
        cents = in_cents([pile.amount for pile in exact], cell)
        for pile, amount in zip(exact, cents, strict=True):
            others = tuple(sorted(pile.others))
            yield ChargePart(pile.label, amount, column, not others, pile.gives, others)
