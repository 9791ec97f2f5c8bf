"""What each cause of a restatement makes of what units are charged.

Who is charged what hangs together where lines follow usage or rules share them: one cause changes
what others come to for a unit. So the closed lines are replaced by the current ones cause after
cause, and allocated after each. What a step changes is that cause's difference, and all steps
together lead from the one statement to the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from chargeback.money import EXACT, ZERO, exact_sum
from chargeback.statement.allocation import allocate
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.restated_lines import (
    ABOUT,
    AMOUNTS,
    ATTRIBUTION,
    NOTHING,
    About,
    Amounts,
    Change,
)

CAUSES = ("late usage", "credit", "refund", "rate", "tax", "discount", ATTRIBUTION, "other")
"""Of differences, in the order of a unit's rows."""
STEPS = (ATTRIBUTION, *(cause for cause in CAUSES if cause != ATTRIBUTION))
"""The order in which lines are replaced: who pays for them first, at the cost they had."""

Unit = tuple[str, str]
"""A currency and a unit."""
Charges = Mapping[Unit, Decimal]
"""What units are charged, exact."""


def differences_by_cause(
    changes: Iterable[Change], by: str, month: str, allocation: AllocationSettings
) -> dict[str, Charges]:
    """How much more each unit is charged by each cause that occurs."""
    lines: dict[About, Amounts] = defaultdict(lambda: NOTHING)
    of_cause: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        lines[change.about] = _plus(lines[change.about], change.closed)
        of_cause[change.cause].append(change)
    found: dict[str, Charges] = {}
    before = _charged(lines, by, month, allocation)
    for cause in (step for step in STEPS if step in of_cause):
        for change in of_cause[cause]:
            lines[change.about] = _plus(lines[change.about], change.more)
        after = _charged(lines, by, month, allocation)
        found[cause] = {
            unit: EXACT.subtract(after.get(unit, ZERO), before.get(unit, ZERO))
            for unit in {*before, *after}
        }
        before = after
    return found


def _charged(
    lines: Mapping[About, Amounts], by: str, month: str, allocation: AllocationSettings
) -> Charges:
    """What units are charged for some lines: their own, and what moves."""
    rows: list[dict[str, Any]] = [
        dict(zip((*ABOUT, *AMOUNTS), (*about, *amounts), strict=True))
        for about, amounts in sorted(lines.items())
        if any(amounts)
    ]
    charged: dict[Unit, Decimal] = defaultdict(Decimal)
    for row in rows:
        unit = row["currency"], row["unit"]
        charged[unit] = EXACT.add(charged[unit], row["cost"])
    for unit, columns in allocate(rows, allocation, by, month).changes().items():
        charged[unit] = exact_sum((charged[unit], *columns.values()))
    return charged


def _plus(one: Amounts, other: Amounts) -> Amounts:
    return tuple(map(EXACT.add, one, other))
