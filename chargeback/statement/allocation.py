"""What is charged to others than the units that lines name: exact, from the lines of a month.

First what follows usage, then the rules in their order. What leaves a unit arrives, to the twelfth
decimal; the rest that twelve decimals leave goes to the largest share.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from chargeback.attribution.principal_pattern import matches
from chargeback.attribution.star_pattern import fits
from chargeback.dimensions import UNALLOCATED
from chargeback.money import EXACT, LAST_DIGIT, ZERO, exact_sum
from chargeback.statement.allocation_settings import AllocationRule, AllocationSettings

COLUMN_OF = {
    "usage": "usage_cost",
    "discount": "discount_amount",
    "credit": "credit_amount",
    "refund": "refund_amount",
    "tax": "tax_amount",
    "other": "other_amount",
}
"""The column of the statement that a category of lines stands in."""
SHARED = "shared_cost"
SHARE_DECIMALS = Decimal("1E-18")
LEVELS = (
    ("legal_entity", "product_code", "usage_account_id", "usage_type", "region"),
    ("legal_entity", "product_code", "usage_account_id"),
    ("legal_entity", "product_code"),
    ("product_code",),
)
"""What a line has in common with the usage it follows, the narrowest first, beside OF_ALL."""
OF_ALL = ("payer_account_id", "currency")
CONDITION_COLUMNS = {
    "principal": "iam_principal",
    "account": "usage_account_id",
    "product": "product_code",
    "usage_type": "usage_type",
    "line_type": "line_item_type",
    "model": "model",
    "team": "team",
    "tenant": "tenant",
    "project": "project",
    "cost_center": "cost_center",
}
"""The column of the rows that a condition of a rule speaks of."""

Row = Mapping[str, Any]
"""Of queries/reports/allocation_lines.sql."""
Weights = Mapping[str, Decimal]
"""By unit."""
UsageByKey = dict[tuple[str, ...], dict[str, Decimal]]
"""What each unit used, by the values of some columns."""


@dataclass(frozen=True, slots=True)
class Move:
    """A share of a pool that one unit gives and another receives; amounts in `currency`, exact."""

    rule_id: str
    rule_name: str
    column: str
    """Of the statement: the line's own where it follows usage, else shared_cost."""
    from_unit: str
    to_unit: str
    by: str
    weight: Decimal
    share: Decimal
    pool: Decimal
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Taking:
    """What a rule does with all that it takes of a unit."""

    rule: AllocationRule
    weights: Weights
    """Of those who receive."""


@dataclass(slots=True)
class Part:
    """What a unit holds of some lines after following, exact."""

    unit: str
    row: Row
    amount: Decimal
    followed: Weights = field(default_factory=dict)
    """Of the usage that the lines followed; empty where they stayed."""
    taking: Taking | None = None
    """The rule that took it."""


@dataclass(frozen=True)
class Allocation:
    """What moved in a statement, and the rules that took nothing."""

    moves: tuple[Move, ...] = ()
    without_effect: tuple[AllocationRule, ...] = ()

    def changes(self) -> dict[tuple[str, str], dict[str, Decimal]]:
        """By currency and unit: how much more, or less, stands in each column."""
        found: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for move in self.moves:
            gives, receives = (
                found[move.currency, unit] for unit in (move.from_unit, move.to_unit)
            )
            gives[move.column] = EXACT.subtract(gives[move.column], move.amount)
            receives[move.column] = EXACT.add(receives[move.column], move.amount)
        return found


@dataclass(slots=True)
class _Totals:
    """What weights are made of, before any move."""

    usage: UsageByKey
    tokens: UsageByKey
    """The key of both is the currency."""

    @classmethod
    def of(cls, rows: Iterable[Row]) -> _Totals:
        return cls(*(_usage_by(rows, ("currency",), what) for what in ("unblended_cost", "tokens")))


def columns_asked(settings: AllocationSettings, by: str, month: str) -> list[str]:
    """The columns that tell lines apart for these settings; all others may be summed over."""
    columns = {"payer_account_id", *LEVELS[0]} if settings.following else set()
    for rule in settings.rules_for(by, month):
        columns |= {CONDITION_COLUMNS[name] for name in rule.take.conditions()}
    return sorted(columns)


def allocate(rows: Sequence[Row], settings: AllocationSettings, by: str, month: str) -> Allocation:
    """What moves in a statement.

    Args:
        rows: of queries/reports/allocation_lines.sql, by the statement's kind of unit.
        settings: what follows usage, and the rules.
        by: the statement's kind of unit.
        month: its billing period.
    """
    return _allocated(rows, settings, by, month)[0]


def allocated_parts(
    rows: Sequence[Row], settings: AllocationSettings, by: str, month: str
) -> list[Part]:
    """Where each line goes in the same statement."""
    return _allocated(rows, settings, by, month)[1]


def _allocated(
    rows: Sequence[Row], settings: AllocationSettings, by: str, month: str
) -> tuple[Allocation, list[Part]]:
    parts: list[Part] = []
    moves = list(_follow(rows, settings.following, parts))
    totals, without_effect = _Totals.of(rows), []
    for rule in settings.rules_for(by, month):
        found = list(_apply(rule, parts, totals))
        moves += found
        if not found:
            without_effect.append(rule)
    return Allocation(tuple(moves), tuple(without_effect)), parts


def distribute(pool: Decimal, weights: Weights) -> list[tuple[str, Decimal, Decimal]]:
    """Shares of a pool: unit, share and amount, in the order of units; amounts add up to `pool`.

    Args:
        pool: to twelve decimals.
        weights: each above zero, at least one.
    """
    whole = exact_sum(weights.values())
    units = sorted(weights)
    amounts = {
        unit: EXACT.quantize(EXACT.divide(EXACT.multiply(pool, weights[unit]), whole), LAST_DIGIT)
        for unit in units
    }
    rest = EXACT.subtract(pool, exact_sum(amounts.values()))
    largest = min(units, key=lambda unit: (-weights[unit], unit))
    amounts[largest] = EXACT.add(amounts[largest], rest)
    shares = {
        unit: EXACT.quantize(EXACT.divide(weights[unit], whole), SHARE_DECIMALS) for unit in units
    }
    return [(unit, shares[unit], amounts[unit]) for unit in units]


def following_name(category: str) -> str:
    """What it is called that lines of a category follow usage."""
    return f"{category.capitalize()} follows usage"


def _follow(rows: Sequence[Row], following: Sequence[str], parts: list[Part]) -> Iterator[Move]:
    """Moves lines to the usage they belong to; adds what each unit then holds to `parts`."""
    levels = LEVELS if following else ()
    usage = [_usage_by(rows, (*OF_ALL, *level), "unblended_cost") for level in levels]
    for row in rows:
        category = row["charge_category"]
        weights = _usage_of(row, usage) if category in following else {}
        if not weights:
            parts.append(Part(row["unit"], row, row["cost"]))
            continue
        held: dict[str, Decimal] = defaultdict(Decimal)
        for column, pool in columns_of(row):
            for unit, share, amount in distribute(pool, weights):
                held[unit] = EXACT.add(held[unit], amount)
                yield Move(
                    rule_id=category,
                    rule_name=following_name(category),
                    column=column,
                    from_unit=row["unit"],
                    to_unit=unit,
                    by="usage",
                    weight=weights[unit],
                    share=share,
                    pool=pool,
                    amount=amount,
                    currency=row["currency"],
                )
        parts += [Part(unit, row, amount, weights) for unit, amount in held.items()]


def columns_of(row: Row) -> Iterator[tuple[str, Decimal]]:
    """In which columns of the statement a line stands: what the net basis takes off is discount."""
    column, unblended = COLUMN_OF[row["charge_category"]], row["unblended_cost"]
    taken_off = EXACT.subtract(row["cost"], unblended)
    if column == "discount_amount":
        yield column, row["cost"]
        return
    yield column, unblended
    if taken_off:
        yield "discount_amount", taken_off


def _usage_by(rows: Iterable[Row], columns: Sequence[str], what: str) -> UsageByKey:
    """What each unit used, in cost or in tokens, by the values of `columns`."""
    found: UsageByKey = {}
    for row in rows:
        if row["charge_category"] == "usage":
            units = found.setdefault(_key(row, columns), {})
            units[row["unit"]] = EXACT.add(units.get(row["unit"], ZERO), row[what] or ZERO)
    return found


def _usage_of(row: Row, usage: Sequence[UsageByKey]) -> dict[str, Decimal]:
    """The units of the usage that matches a line most narrowly; empty where none has any."""
    for found, level in zip(usage, LEVELS, strict=True):
        if positive := _above_zero(found.get(_key(row, (*OF_ALL, *level)), {})):
            return positive
    return {}


def _key(row: Row, columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(row[column] for column in columns)


def _apply(rule: AllocationRule, parts: Iterable[Part], totals: _Totals) -> Iterator[Move]:
    """Moves what a rule takes; what nobody can receive stays for the rules after it."""
    pools: dict[tuple[str, str], list[Part]] = defaultdict(list)
    for part in parts:
        if part.taking is None and _matches(rule, part):
            pools[part.row["currency"], part.unit].append(part)
    for (currency, unit), taken in sorted(pools.items()):
        pool = exact_sum(part.amount for part in taken)
        weights = _weights(rule, unit, currency, totals)
        if not weights or not pool:
            continue
        taking = Taking(rule, weights)
        for part in taken:
            part.taking = taking
        for to_unit, share, amount in distribute(pool, weights):
            yield Move(
                rule_id=rule.id,
                rule_name=rule.title,
                column=SHARED,
                from_unit=unit,
                to_unit=to_unit,
                by=rule.by,
                weight=weights[to_unit],
                share=share,
                pool=pool,
                amount=amount,
                currency=currency,
            )


def _matches(rule: AllocationRule, part: Part) -> bool:
    if not fits(rule.take.unit, part.unit):
        return False
    return all(_fits(name, pattern, part) for name, pattern in rule.take.conditions().items())


def _fits(name: str, pattern: str, part: Part) -> bool:
    if name == "principal":
        return not part.followed and matches(pattern, part.row["iam_principal"])
    return fits(pattern, part.row[CONDITION_COLUMNS[name]])


def _weights(
    rule: AllocationRule, giver: str, currency: str, totals: _Totals
) -> dict[str, Decimal]:
    """Who receives, and how much of it; empty where nobody can."""
    if rule.shares:
        return dict(rule.shares)
    usage, tokens = (of.get((currency,), {}) for of in (totals.usage, totals.tokens))
    receivers = rule.to or [unit for unit in _above_zero(usage) if unit not in (UNALLOCATED, giver)]
    if rule.by == "even":
        return dict.fromkeys(receivers, Decimal(1))
    weights = usage if rule.by == "direct cost" else tokens
    return _above_zero({unit: weights.get(unit, ZERO) for unit in receivers})


def _above_zero(weights: Weights) -> dict[str, Decimal]:
    return {unit: weight for unit, weight in weights.items() if weight > 0}
