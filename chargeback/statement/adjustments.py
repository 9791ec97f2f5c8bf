"""What is still to be posted of a closed month: what it charges now, less what was posted of it.

A unit is adjusted only where its exact charge has changed since it was posted last; its neighbours'
cents are left alone, whatever rounding would say. What is posted to all units comes to the bill
rounded to cents. Each is within a cent of its exact charge, unless the cents of those that may not
change leave no such choice: then it is within two, as the sum comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from chargeback.money import ZERO, cents, exact_sum, in_cents

Unit = tuple[str, str]
"""A currency and a unit."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What was posted to a unit of one month so far: by its document, and by corrections since."""

    amount: Decimal
    """Cents."""
    exact: Decimal
    """What the month charged it when that was posted last."""
    document_id: str
    """Which charged it; '' where only corrections did."""
    attribution: Decimal = ZERO
    """What of `exact`, since the close, is due to who pays."""


NOTHING = Posted(Decimal("0.00"), ZERO, "")


def corrections(
    posted: Mapping[Unit, Posted], charged: Mapping[Unit, Decimal]
) -> dict[Unit, Decimal]:
    """What has to be posted to the units whose exact charge has changed; in cents, may be 0.00.

    Args:
        posted: to each unit so far.
        charged: to each unit by the corrected month, exact; who is not in it is charged nothing.
    """
    found: dict[Unit, Decimal] = {}
    for currency in {currency for currency, _ in (*posted, *charged)}:
        units = sorted(unit for unit in {*posted, *charged} if unit[0] == currency)
        exact = {unit: charged.get(unit, ZERO) for unit in units}
        before = {unit: posted.get(unit, NOTHING) for unit in units}
        changed = [unit for unit in units if exact[unit] != before[unit].exact]
        kept = exact_sum(before[unit].amount for unit in units if unit not in set(changed))
        whole = cents(exact_sum(exact.values())) - kept
        due = in_cents([exact[unit] for unit in changed], whole) if changed else []
        for unit, amount in zip(changed, due, strict=True):
            found[unit] = amount - before[unit].amount
    return found
