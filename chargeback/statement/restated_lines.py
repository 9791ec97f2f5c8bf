"""The lines of a closed month that the bill tells otherwise now, each part of it by its cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

from chargeback.dimensions import CHARGED
from chargeback.money import EXACT, ZERO, exact_sum
from chargeback.reports.answers import Answers
from chargeback.reports.restatement import changed_lines
from chargeback.reports.view import View
from chargeback.statement.allocation import (
    CONDITION_COLUMNS,
    LEVELS,
    OF_ALL,
    columns_asked,
    distribute,
)
from chargeback.statement.allocation_settings import AllocationSettings

ATTRIBUTION, UNCHANGED = "attribution", "unchanged"
AMOUNTS = ("cost", "unblended_cost", "tokens")
"""Of a line; the first is what it comes to on the bill."""

Amounts = tuple[Decimal, ...]
"""In the order of AMOUNTS."""
NOTHING: Amounts = (ZERO,) * len(AMOUNTS)
ABOUT = tuple(
    dict.fromkeys((*OF_ALL, "unit", "charge_category", *LEVELS[0], *CONDITION_COLUMNS.values()))
)
"""The columns of queries/reports/allocation_lines.sql that tell lines apart."""
About = tuple[str, ...]
"""In the order of ABOUT."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one cause makes of lines that allocation does not tell apart."""

    cause: str
    about: About
    closed: Amounts
    current: Amounts

    @property
    def more(self) -> Amounts:
        """By how much the lines now come to more."""
        return tuple(map(EXACT.subtract, self.current, self.closed))


def changes_of(
    closed: Answers, now: Answers, view: View, by: str, allocation: AllocationSettings
) -> list[Change]:
    """All lines of both sides, by cause; what did not change has the cause `unchanged`.

    The closed amounts add up to the closed lines, the current ones to the lines now.
    """
    columns = columns_asked(allocation, by, view.month)
    rows = changed_lines(closed, now, view, CHARGED[by].name, columns).to_pylist()
    found: list[Change] = []
    for (line, is_taken_over), alike in groupby(rows, itemgetter("line", "is_taken_over")):
        rows_alike = list(alike)
        changes = [_change(row) for row in rows_alike]
        if line:
            found += _split(changes, _moved(changes))
        elif is_taken_over:
            found += _split(changes, [_amounts(row, "moved") for row in rows_alike])
        else:
            found += changes
    return found


def payers_first(closed: Sequence[Decimal], current: Sequence[Decimal]) -> list[Decimal]:
    """What the payers of one line would pay had nothing but who pays changed.

    Args:
        closed: what each payer paid.
        current: what each pays now, in the same order.

    Returns:
        Amounts that add up to the closed ones. Where other payers took a line over, they take all
        of it at its old cost; else, what some pay less is what others pay more, as far as it goes.
    """
    stays = any(before and after for before, after in zip(closed, current, strict=True))
    if any(current) and not stays:
        return _shares(exact_sum(closed), [abs(amount) for amount in current])
    more = [EXACT.subtract(after, before) for before, after in zip(closed, current, strict=True)]
    gains, losses = ([max(sign * each, ZERO) for each in more] for sign in (1, -1))
    moved = min(exact_sum(gains), exact_sum(losses))
    received, given = _shares(moved, gains), _shares(moved, losses)
    return [exact_sum(parts) for parts in zip(closed, received, map(_minus, given), strict=True)]


def _moved(changes: Sequence[Change]) -> Iterator[Amounts]:
    """What the payers of one line would come to had only they changed."""
    closed, current = (
        list(zip(*side, strict=True))
        for side in ((each.closed for each in changes), (each.current for each in changes))
    )
    return zip(*map(payers_first, closed, current), strict=True)


def _split(changes: Iterable[Change], moved: Iterable[Amounts]) -> Iterator[Change]:
    """Changes of who pays and of what is paid: first the one, at the old cost, then the other."""
    for change, between in zip(changes, moved, strict=True):
        more = tuple(map(EXACT.subtract, change.current, between))
        yield Change(ATTRIBUTION, change.about, change.closed, between)
        yield Change(change.cause, change.about, NOTHING, more)


def _change(row: Mapping[str, Any]) -> Change:
    about = tuple(row[name] for name in ABOUT)
    return Change(row["cause"], about, _amounts(row, "closed"), _amounts(row, "current"))


def _amounts(row: Mapping[str, Any], side: str) -> Amounts:
    return tuple(row[f"{side}_{name}"] for name in AMOUNTS)


def _shares(pool: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Parts of `pool` in proportion to weights; where all of them are zero, so is it."""
    above_zero = {str(at): weight for at, weight in enumerate(weights) if weight}
    amounts = {at: amount for at, _, amount in distribute(pool, above_zero)} if pool else {}
    return [amounts.get(str(at), ZERO) for at in range(len(weights))]


def _minus(amount: Decimal) -> Decimal:
    return EXACT.minus(amount)
