"""Whom each single charge goes to, in shares that add up to it and, over the month, to all moves.

The statement moves pools: what rules take of many lines at once. A file of charges needs to know of
each line. A line's shares are rounded such that those of all lines of a pool add up to its moves,
to the last digit: each is what the pool's split becomes with the line, less what it was without.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from chargeback.money import EXACT, ZERO, exact_sum
from chargeback.statement.allocation import Part, Weights, columns_of, distribute

ONE = Decimal(1)
QUANTITIES = ("usage_amount", "tokens")

Row = Mapping[str, Any]
"""Of queries/reports/focus.sql."""
Amounts = Mapping[str, Decimal]
"""By name: cost, usage_amount, tokens; without what the row does not have."""
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """What of a charge one unit is charged."""

    unit: str
    amounts: Amounts
    methods: tuple[str, ...] = ()
    """The ids of all that moved it, in order; empty where nothing did."""
    ratio: Decimal = ONE
    """Of the charge; those of all its shares add up to 1."""
    by: str = ""
    """What weighed it last."""
    weight: Decimal = ZERO


class Splitting:
    """The shares of a month's charges, asked for one after the other.

    Args:
        parts: where each line goes.
        columns: what tells their lines apart, as `columns_asked` has it.
    """

    def __init__(self, parts: Iterable[Part], columns: Sequence[str]) -> None:
        self._columns = columns
        self._parts: dict[Key, list[Part]] = defaultdict(list)
        for part in parts:
            self._parts[self._key(part.row)].append(part)
        self._pools: dict[Key, _Pool] = {}

    def shares(self, row: Row) -> list[Share]:
        """Whom a charge goes to: one unit where nothing moves it."""
        parts = self._parts.get(self._key(row), [])
        if parts and parts[0].followed:
            held = self._followed(row, parts[0].followed)
            return [share for part in parts for share in self._taken(part, held[part.unit])]
        stays = Share(row["unit"], {"cost": row["cost"], **_quantities(row)})
        return list(self._taken(parts[0], stays)) if parts else [stays]

    def _key(self, row: Row) -> Key:
        names = ("currency", "unit", "charge_category", *self._columns)
        return tuple(row[name] for name in names)

    def _followed(self, row: Row, weights: Weights) -> dict[str, Share]:
        """By unit: what it holds of a line that followed usage; its cost column by column."""
        key, quantities = self._key(row), _quantities(row)
        of_columns = [self._split((*key, name), weights, cost) for name, cost in columns_of(row)]
        others = {name: self._split((*key, name), weights, quantities[name]) for name in quantities}
        ratios = _ratios(weights)
        return {
            unit: Share(
                unit,
                {
                    "cost": exact_sum(amounts[unit] for amounts in of_columns),
                    **{name: amounts[unit] for name, amounts in others.items()},
                },
                (row["charge_category"],),
                ratios[unit],
                "usage",
                weights[unit],
            )
            for unit in weights
        }

    def _taken(self, part: Part, held: Share) -> Iterator[Share]:
        """What a rule makes of what a unit holds; the same where none takes it."""
        if part.taking is None:
            yield held
            return
        rule, weights = part.taking.rule, part.taking.weights
        pool = (rule.id, part.row["currency"], part.unit)
        split = {
            name: self._split((*pool, name), weights, amount)
            for name, amount in held.amounts.items()
        }
        ratios = _ratios(weights)
        for unit in sorted(weights):
            yield replace(
                held,
                unit=unit,
                amounts={name: amounts[unit] for name, amounts in split.items()},
                methods=(*held.methods, rule.id),
                ratio=EXACT.multiply(held.ratio, ratios[unit]),
                by=rule.by,
                weight=weights[unit],
            )

    def _split(self, key: Key, weights: Weights, amount: Decimal) -> dict[str, Decimal]:
        """By unit: its share of an amount that comes to a pool."""
        if key not in self._pools:
            self._pools[key] = _Pool(weights)
        return self._pools[key].add(amount)


class _Pool:
    """Splits amounts that come one by one as their sum is split."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._sum = ZERO
        self._given = dict.fromkeys(weights, ZERO)

    def add(self, amount: Decimal) -> dict[str, Decimal]:
        """By unit: how much more of the sum is its own with this amount."""
        self._sum = EXACT.add(self._sum, amount)
        now = {unit: given for unit, _, given in distribute(self._sum, self._weights)}
        more = {unit: EXACT.subtract(now[unit], self._given[unit]) for unit in now}
        self._given = now
        return more


def _quantities(row: Row) -> dict[str, Decimal]:
    return {name: row[name] for name in QUANTITIES if row[name] is not None}


def _ratios(weights: Weights) -> dict[str, Decimal]:
    return {unit: ratio for unit, _, ratio in distribute(ONE, weights)}
