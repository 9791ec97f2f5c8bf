"""The lines of a closed month that the bill tells otherwise now, each part of it by its cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from chargeback.statement.allocation import columns_asked, distribute
from chargeback.statement.allocation_settings import AllocationSettings

ATTRIBUTION, UNCHANGED = "attribution", "unchanged"
AMOUNTS = ("cost", "unblended_cost", "tokens")
"""Of a line; the first is what it comes to on the bill."""

Amounts = tuple[Decimal, ...]
"""In the order of AMOUNTS."""
NOTHING: Amounts = (ZERO,) * len(AMOUNTS)
About = tuple[tuple[str, Any], ...]
"""The columns of queries/reports/allocation_lines.sql that tell lines apart, with their values."""


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
    for (cause, line), of_line in groupby(rows, itemgetter("cause", "line")):
        changes = [_change(cause, row) for row in of_line]
        found += _split(changes) if line else changes
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


def _split(changes: Sequence[Change]) -> Iterator[Change]:
    """The changes of one line: first who pays for it, at the old cost, then the cost."""
    columns = [
        payers_first([each.closed[at] for each in changes], [each.current[at] for each in changes])
        for at in range(len(AMOUNTS))
    ]
    for change, between in zip(changes, zip(*columns, strict=True), strict=True):
        more = tuple(map(EXACT.subtract, change.current, between))
        yield Change(ATTRIBUTION, change.about, change.closed, between)
        yield Change(change.cause, change.about, NOTHING, more)


def _change(cause: str, row: Mapping[str, Any]) -> Change:
    closed, current = (
        tuple(row[f"{side}_{name}"] for name in AMOUNTS) for side in ("closed", "current")
    )
    told = (*(f"{side}_{name}" for side in ("closed", "current") for name in AMOUNTS), "line")
    about = tuple((name, value) for name, value in row.items() if name not in {"cause", *told})
    return Change(cause, about, closed, current)


def _shares(pool: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Parts of `pool` in proportion to weights; where all of them are zero, so is it."""
    above_zero = {str(at): weight for at, weight in enumerate(weights) if weight}
    amounts = {at: amount for at, _, amount in distribute(pool, above_zero)} if pool else {}
    return [amounts.get(str(at), ZERO) for at in range(len(weights))]


def _minus(amount: Decimal) -> Decimal:
    return EXACT.minus(amount)
