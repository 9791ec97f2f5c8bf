"""Why two sources of one bill differ: causes, their measured amounts, and what they mean.

A cause's amount is measured in what the sources say; what no cause measures stays unexplained. Two
causes can only be suspected (credits that one source lacks, products that only one names) and say
so. Rounding takes what is left only where rounding can have done it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import groupby

from chargeback.money import ZERO

TAX = "Tax"
CREDITS = ("Credit", "Refund")
LINE_ROUNDING = Decimal("0.5e-10")
"""AWS gives costs to ten decimals, in CUR lines and in Cost Explorer's sums."""
CENT_ROUNDING = Decimal("0.005")
"""An invoice gives each charge in cents (Billing User Guide, "Knowing the differences between
Billing and Cost Explorer data": billing data is rounded)."""


class CauseName(StrEnum):
    """What can make two sources differ, in the order in which it is looked for."""

    TAX = "Tax shown apart"
    LATER = "Days still being filled"
    DATED = "Usage of another month"
    CREDITS = "Credits and refunds"
    UNRECOGNISED = "Product only in one of the two"
    OTHER_SERVICES = "Other services"
    OTHER_TAX = "Tax on other services"
    ROUNDING = "Rounding"


SENTENCES = {
    CauseName.TAX: (
        "Cost Explorer adds up all tax under one service called Tax. The bill states the product "
        "that each tax line belongs to."
    ),
    CauseName.LATER: (
        "AWS updates the bill and Cost Explorer up to three times a day, but not at the same "
        "time. For the latest days, one may already hold usage that the other does not."
    ),
    CauseName.DATED: (
        "The bill counts by billing period, Cost Explorer by the day of use. Usage from one month "
        "that is billed in another is therefore counted in different months."
    ),
    CauseName.CREDITS: (
        "Credits or refunds that only one of the two shows for this service. AWS may add them to "
        "a closed month, and shares credits between services and accounts."
    ),
    CauseName.UNRECOGNISED: (
        "Products with Bedrock in their name that appear on one side only. AWS may have renamed "
        "them: compare the names. If the export lacks the column `product`, add it."
    ),
    CauseName.OTHER_SERVICES: (
        "An invoice covers all services, not only Bedrock. This is what Cost Explorer reports for "
        "the others."
    ),
    CauseName.OTHER_TAX: (
        "Tax on those other services: Cost Explorer's tax, less the tax on Bedrock in the bill."
    ),
    CauseName.ROUNDING: "Each amount is rounded before the amounts are added up.",
}
SUSPECTED = frozenset({CauseName.CREDITS, CauseName.UNRECOGNISED})
"""Causes that are likely, not proven: someone has to look."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A part of a difference: what the other source has more (less, where negative), and why."""

    name: CauseName
    amount: Decimal
    detail: str = ""
    """What is particular to this case: names, or how far rounding can reach."""

    @property
    def sentence(self) -> str:
        """The cause in plain words."""
        return " ".join(part for part in (SENTENCES[self.name], self.detail) if part)

    @property
    def is_settled(self) -> bool:
        """Whether nobody has to look any further."""
        return self.name not in SUSPECTED


@dataclass(frozen=True, slots=True)
class Comparison:
    """The bill against one other source: `cur` + causes + `unexplained` = `amount`, exactly."""

    other: str
    """'Cost Explorer', 'AWS invoices' or 'AWS Marketplace invoices'."""
    cur: Decimal
    amount: Decimal
    """What the other source says."""
    causes: tuple[Cause, ...]

    @property
    def difference(self) -> Decimal:
        """What the other source has more than the bill."""
        return self.amount - self.cur

    @property
    def unexplained(self) -> Decimal:
        """What no cause measures: zero, or to be shown in red."""
        return self.difference - total(self.causes)


@dataclass(frozen=True, slots=True)
class ServiceCharge:
    """One service's charges of one type in a month, in one of the sources; in the bill's currency.

    Args:
        service: as the source names it.
        record_type: the line type, as the source names it.
        amount: what they come to.
        recent: of it, on the days on which sources may still differ.
        dated_elsewhere: of it, dated outside the month (bill only).
        billed_elsewhere: dated in the month, billed in another (bill only); not in `amount`.
        lines: how many rounded amounts it is the sum of.
    """

    service: str
    record_type: str
    amount: Decimal
    recent: Decimal = ZERO
    dated_elsewhere: Decimal = ZERO
    billed_elsewhere: Decimal = ZERO
    lines: int = 1

    @property
    def key(self) -> tuple[str, str]:
        """Equal for the same charges, however a source spells them."""
        kind = plain_name(self.record_type)
        return plain_name(self.service), _RECORD_TYPES.get(kind, kind)

    def plus(self, other: ServiceCharge) -> ServiceCharge:
        """Both together, under this one's names."""
        return ServiceCharge(
            self.service,
            self.record_type,
            self.amount + other.amount,
            self.recent + other.recent,
            self.dated_elsewhere + other.dated_elsewhere,
            self.billed_elsewhere + other.billed_elsewhere,
            self.lines + other.lines,
        )


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """One service and record type in the bill and in Cost Explorer; None where it has none."""

    service: str
    record_type: str
    cur: Decimal | None
    cost_explorer: Decimal | None
    causes: tuple[Cause, ...]

    @property
    def size(self) -> Decimal:
        """How much it is about, whatever the sign."""
        return max(abs(self.cur or ZERO), abs(self.cost_explorer or ZERO))

    @property
    def difference(self) -> Decimal:
        """What Cost Explorer has more than the bill."""
        return (self.cost_explorer or ZERO) - (self.cur or ZERO)

    @property
    def unexplained(self) -> Decimal:
        """What no cause measures."""
        return self.difference - total(self.causes)


_RECORD_TYPES = {
    "edpdiscount": "enterprisediscountprogramdiscount",
    "privateratediscount": "privateratecarddiscount",
}
"""Line types that Cost Explorer has other words for."""


def plain_name(name: str) -> str:
    """A name without what sources spell differently: 'AmazonBedrock' is 'Amazon Bedrock'."""
    return re.sub(r"[\W_]", "", name).casefold()


def total(causes: Iterable[Cause]) -> Decimal:
    """What causes come to together."""
    return sum((cause.amount for cause in causes), ZERO)


def merged(charges: Iterable[ServiceCharge]) -> dict[tuple[str, str], ServiceCharge]:
    """One charge for each service and record type."""
    found: dict[tuple[str, str], ServiceCharge] = {}
    for charge in charges:
        before = found.get(charge.key)
        found[charge.key] = before.plus(charge) if before else charge
    return found


def service_rows(
    billed: Iterable[ServiceCharge], counted: Iterable[ServiceCharge], *, tax_is_counted: bool
) -> tuple[ServiceRow, ...]:
    """The bill against Cost Explorer, a row for each service and record type, largest first.

    Args:
        billed: the bill's Bedrock charges.
        counted: Cost Explorer's charges that are Bedrock's: see `bedrock_of`.
        tax_is_counted: whether Cost Explorer's Tax can hold the tax on the bill's charges.
    """
    cur, other = merged(billed), merged(counted)
    known = services_of(cur.values()) & services_of(other.values())
    rows = [
        _row(cur.get(key), other.get(key), key[0] in known, tax_is_counted)
        for key in dict.fromkeys([*cur, *other])
    ]
    shown = [row for row in rows if row.cur or row.cost_explorer]
    return tuple(sorted(shown, key=lambda row: (-row.size, row.service, row.record_type)))


def services_of(charges: Iterable[ServiceCharge]) -> set[str]:
    """The services of these charges, in the spelling of `plain_name`."""
    return {charge.key[0] for charge in charges}


def bedrock_of(
    charges: Iterable[ServiceCharge], billed: Iterable[ServiceCharge]
) -> list[ServiceCharge]:
    """Cost Explorer's charges that are Bedrock's: by their names, or because the bill has them."""
    known = services_of(billed)
    return [c for c in charges if "bedrock" in c.key[0] or c.key[0] in known]


def compare_totals(other: str, rows: Iterable[ServiceRow]) -> Comparison:
    """All rows together."""
    kept = list(rows)
    return Comparison(
        other,
        sum((row.cur or ZERO for row in kept), ZERO),
        sum((row.cost_explorer or ZERO for row in kept), ZERO),
        merge_causes(cause for row in kept for cause in row.causes),
    )


def merge_causes(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """One cause of each name, in their order; details follow each other."""
    order = list(CauseName)
    ordered = sorted(causes, key=lambda cause: order.index(cause.name))
    return tuple(
        Cause(name, total(group), " ".join(dict.fromkeys(c.detail for c in group if c.detail)))
        for name, same in groupby(ordered, key=lambda cause: cause.name)
        for group in [list(same)]
    )


def rounding(left: Decimal, reach: Decimal, detail: str = "") -> Iterator[Cause]:
    """Rounding as the cause of what is left, if it reaches that far."""
    if left and abs(left) <= reach:
        yield Cause(CauseName.ROUNDING, left, detail)


def _row(
    billed: ServiceCharge | None,
    counted: ServiceCharge | None,
    is_known: bool,
    tax_is_counted: bool,
) -> ServiceRow:
    named = billed or counted
    assert named  # noqa: S101  (a key comes from one of the two)
    nothing = ServiceCharge(named.service, named.record_type, ZERO, lines=0)
    if tax_is_counted and named.record_type == TAX and counted is None:
        causes = [Cause(CauseName.TAX, -named.amount)]
    else:
        causes = list(_causes(billed or nothing, counted or nothing, is_known))
    return ServiceRow(
        named.service,
        named.record_type,
        billed.amount if billed else None,
        counted.amount if counted else None,
        tuple(causes),
    )


def _causes(billed: ServiceCharge, counted: ServiceCharge, is_known: bool) -> Iterator[Cause]:
    """The causes of one row's difference, each from what those before it leave."""
    left = counted.amount - billed.amount
    reach = LINE_ROUNDING * (billed.lines + counted.lines)
    later = counted.recent - billed.recent
    if abs(later) > reach:
        yield Cause(CauseName.LATER, later)
        left -= later
    dated = billed.billed_elsewhere - billed.dated_elsewhere
    if abs(left) > reach and abs(left - dated) <= reach:
        yield Cause(CauseName.DATED, dated)
        left -= dated
    if abs(left) <= reach:
        yield from rounding(left, reach)
    elif not is_known:
        yield Cause(CauseName.UNRECOGNISED, left, f"{billed.service}.")
    elif billed.record_type in CREDITS:
        yield Cause(CauseName.CREDITS, left)
