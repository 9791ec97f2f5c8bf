"""What other rules of who pays would have moved: each unit's cost now, and then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa

from chargeback.attribution.attribution import Attribution
from chargeback.attribution.identity import identity_of
from chargeback.attribution.rule_notices import summed
from chargeback.attribution.rules import NAMES
from chargeback.money import EXACT, ZERO


class Unit(NamedTuple):
    """Who pays: a tenant, a team."""

    dimension: str
    currency: str
    name: str


@dataclass(slots=True)
class Moved:
    """What a unit comes to in a billing period under two sets of rules, exact."""

    now: Decimal = ZERO
    then: Decimal = ZERO
    differs: bool = False
    """Whether any line comes or goes, also where as much comes as goes."""

    @property
    def difference(self) -> Decimal:
        """What the unit would pay more."""
        return EXACT.subtract(self.then, self.now)


def preview(
    now: Attribution, then: Attribution, spend: pa.Table, billing_period: str
) -> dict[Unit, Moved]:
    """Each unit that has any cost now or then.

    Args:
        now: the rules in force.
        then: those that would be.
        spend: rows of queries/store/billed_by_identity.sql.
        billing_period: YYYY-MM.

    Raises:
        OwnerListError: rows of a list contradict each other for somebody.
    """
    days = sorted({*now.cuts(), *then.cuts()})
    found: dict[Unit, Moved] = {}
    for row in summed(spend, days, date.fromisoformat(f"{billing_period}-01")):
        for name, before, after in _decided(row, now, then):
            was = found.setdefault(Unit(name, row["currency"], before), Moved())
            will = found.setdefault(Unit(name, row["currency"], after), Moved())
            was.now = EXACT.add(was.now, row["cost"])
            will.then = EXACT.add(will.then, row["cost"])
            was.differs |= before != after
            will.differs |= before != after
    return found


def _decided(
    row: Mapping[str, Any], now: Attribution, then: Attribution
) -> Iterator[tuple[str, str, str]]:
    """Of each dimension the unit that pays for a row now, and then."""
    identity, on = identity_of(row), row["on"]
    before = now.on(now.caller(identity), on)
    after = then.on(then.caller(identity), on)
    return ((name, before[name].value, after[name].value) for name in NAMES)
