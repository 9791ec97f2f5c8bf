"""How a statement came about: each unit's own lines, what it gave and received, and why."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TypedDict

import pandas as pd
from pydantic import ValidationError

from chargeback.errors import UsageProblem
from chargeback.money import ZERO, exact_sum
from chargeback.reports.frames import frame_of
from chargeback.statement.allocation import Move
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import MONEY, Statement

OWN = "own lines"


class Pool(TypedDict):
    """What a rule took from one unit in one column; amounts in one currency, exact."""

    rule: str
    column: str
    from_unit: str
    pool: Decimal
    """What was there before."""
    moved: Decimal
    stays: Decimal
    receivers: int
    """Units that it went to, the giver left out."""


class Part(TypedDict):
    """One part of what a unit is charged, exact."""

    why: str
    """OWN, or the rule's name."""
    column: str
    other_unit: str
    """Whom it came from, or went to; '' for own lines."""
    amount: Decimal


class Difference(TypedDict):
    """What a unit would be charged under other rules, in cents."""

    unit: str
    now: Decimal
    then: Decimal
    difference: Decimal


def pools(statement: Statement, currency: str) -> pd.DataFrame:
    """One Pool per rule, column and giver, in the order in which they were taken."""
    moves: dict[tuple[str, str, str], list[Move]] = defaultdict(list)
    for move in statement.allocation.moves:
        if move.currency == currency:
            moves[move.rule_name, move.column, move.from_unit].append(move)
    return frame_of(Pool, [_pool(*at, found) for at, found in moves.items()])


def _pool(rule: str, column: str, giver: str, moves: list[Move]) -> dict[str, Any]:
    moved = exact_sum(move.amount for move in moves if move.to_unit != giver)
    stays = exact_sum(move.amount for move in moves if move.to_unit == giver)
    return {
        "rule": rule,
        "column": column,
        "from_unit": giver,
        "pool": exact_sum((moved, stays)),
        "moved": moved,
        "stays": stays,
        "receivers": len({move.to_unit for move in moves} - {giver}),
    }


def parts(statement: Statement, currency: str, unit: str) -> pd.DataFrame:
    """The Parts of what a unit is charged; they add up to its exact charge."""
    own = statement.direct.get((currency, unit), {})
    rows = [
        {"why": OWN, "column": column, "other_unit": "", "amount": own[column]}
        for column in MONEY
        if own.get(column)
    ]
    received: dict[tuple[str, str, str], list[Decimal]] = defaultdict(list)
    for why, column, other, amount in _of_unit(statement, currency, unit):
        received[why, column, other].append(amount)
    rows += [
        {"why": why, "column": column, "other_unit": other, "amount": exact_sum(amounts)}
        for (why, column, other), amounts in received.items()
    ]
    return frame_of(Part, rows)


def _of_unit(
    statement: Statement, currency: str, unit: str
) -> Iterator[tuple[str, str, str, Decimal]]:
    for move in statement.allocation.moves:
        if move.currency != currency or move.from_unit == move.to_unit:
            continue
        if move.to_unit == unit:
            yield move.rule_name, move.column, move.from_unit, move.amount
        elif move.from_unit == unit:
            yield move.rule_name, move.column, move.to_unit, -move.amount


def direct_total(statement: Statement, currency: str, unit: str) -> Decimal:
    """What the unit's own lines come to on the bill, exact: what other pages show."""
    return exact_sum(statement.direct.get((currency, unit), {}).values())


def read_rules(text: str) -> AllocationSettings:
    """The rules that a text says, with or without the heading [allocation].

    Raises:
        UsageProblem: it is no TOML, or says something that is not allowed.
    """
    try:
        said = tomllib.loads(text)
        return AllocationSettings.model_validate(said.get("allocation", said))
    except tomllib.TOMLDecodeError as error:
        raise UsageProblem(f"This is not valid TOML: {error}.", todo="Correct it.") from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: "
            f"{str(fault['msg']).removeprefix('Value error, ')}"
            for fault in error.errors()
        )
        raise UsageProblem(
            f"These rules are not allowed: {faults}.", todo="Correct them."
        ) from error


def compare(now: Statement, then: Statement, currency: str) -> pd.DataFrame:
    """One Difference per unit of either statement, `(unallocated)` last."""
    charges = [
        {each.bill_to: each.total for each in statement.charges if each.currency == currency}
        for statement in (now, then)
    ]
    units = list(dict.fromkeys(unit for each in charges for unit in list(each)[:-1]))
    units.append(list(charges[0])[-1])
    before, after = charges
    rows = [(unit, before.get(unit, ZERO), after.get(unit, ZERO)) for unit in units]
    return frame_of(
        Difference,
        [
            {"unit": unit, "now": old, "then": new, "difference": new - old}
            for unit, old, new in rows
        ],
    )
