"""A closed month compared with the bill as it is now: by unit and by cause, exact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import BinaryIO

from chargeback.dimensions import CHARGED, unallocated_last
from chargeback.errors import Problem, UsageProblem
from chargeback.files.csv_file import FileDigest, write_csv
from chargeback.money import CENT, EXACT, ZERO, exact_sum
from chargeback.reports.answers import Answers
from chargeback.reports.view import View
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import exact_charges
from chargeback.statement.restated_lines import ABOUT, ATTRIBUTION, UNCHANGED, Change, changes_of
from chargeback.statement.restated_steps import CAUSES, Charges, Unit, differences_by_cause

COLUMNS = (
    "billing_period",
    "bill_to_type",
    "bill_to",
    "currency",
    "cause",
    "closed_amount",
    "current_amount",
    "difference",
)


@dataclass(frozen=True, slots=True)
class RestatedCharge:
    """What one cause makes of a unit's charge; amounts in `currency`, exact."""

    bill_to: str
    currency: str
    cause: str
    closed_amount: Decimal
    """What the lines concerned came to for the unit when the month was closed."""
    current_amount: Decimal
    """The same now, with all that follows from them by allocation."""

    @property
    def difference(self) -> Decimal:
        """How much more the unit is charged."""
        return EXACT.subtract(self.current_amount, self.closed_amount)


@dataclass(frozen=True, slots=True)
class Restatement:
    """A closed month beside the bill as it is now, under the rules that it was closed with."""

    billing_period: str
    bill_to_type: str
    charges: tuple[RestatedCharge, ...]
    """By currency, unit and cause, (unallocated) last; a cause that leaves a unit's charge as it
    was has no row. Each unit has one row `unchanged`, so that its rows add up to its exact charge
    on either side."""

    @property
    def closed(self) -> Charges:
        """What each unit was charged when the month was closed, by the present program."""
        return self._sum(lambda each: each.closed_amount)

    @property
    def differences(self) -> Charges:
        """How much more each unit is charged: all causes together."""
        return self._sum(lambda each: each.difference)

    @property
    def attribution(self) -> Charges:
        """What of it is due to who pays: zero over all units of a currency."""
        return self._sum(lambda each: each.difference if each.cause == ATTRIBUTION else ZERO)

    def _sum(self, amount: Callable[[RestatedCharge], Decimal]) -> Charges:
        """By unit."""
        found: dict[Unit, Decimal] = defaultdict(Decimal)
        for each in self.charges:
            at = each.currency, each.bill_to
            found[at] = EXACT.add(found[at], amount(each))
        return dict(found)

    def totals(self) -> dict[tuple[str, str], Decimal]:
        """The difference by currency and cause, of the causes that occur."""
        found: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
        for charge in self.charges:
            found[charge.currency, charge.cause].append(charge.difference)
        return {key: exact_sum(amounts) for key, amounts in found.items()}


def restate(
    closed: Answers, now: Answers, view: View, by: str, allocation: AllocationSettings
) -> Restatement:
    """Compares a closed month with the bill as it is now.

    Args:
        closed: the figures of the frozen facts, under the rules that were frozen with them.
        now: those of the facts as the store has them, under the same rules.
        view: all of the month.
        by: a key of CHARGED.
        allocation: what follows usage, and the rules; the frozen ones.

    Raises:
        UsageProblem: `by` is no unit, or a side does not hold the month.
        Problem: the causes do not add up to the two statements; nothing may be posted then.
    """
    if by not in CHARGED:
        raise UsageProblem(
            f"A statement can't be made by {by!r}.", todo=f"Use {', '.join(CHARGED)}."
        )
    for side in (closed, now):
        side.period(view.month)
    changes = changes_of(closed, now, view, by, allocation)
    before = exact_charges(closed, view, by, allocation)
    after = exact_charges(now, view, by, allocation)
    by_cause = differences_by_cause(changes, by, view.month, allocation)
    units = sorted({*before, *after}.union(*by_cause.values()), key=unallocated_last)
    restatement = Restatement(
        billing_period=view.month,
        bill_to_type=by,
        charges=tuple(_charges(units, before, changes, by_cause)),
    )
    _check_it_adds_up(restatement, before, after)
    return restatement


def restated_file_name(by: str, month: str) -> str:
    """The name of the file that says what changed."""
    return f"restatement-{by}-{month}.csv"


def write_restatement(restatement: Restatement, out: BinaryIO) -> FileDigest:
    """Writes a row per unit and cause, with every decimal that the amounts have."""
    return write_csv(out, COLUMNS, _rows(restatement))


def _rows(restatement: Restatement) -> Iterator[list[object]]:
    for charge in restatement.charges:
        amounts = charge.closed_amount, charge.current_amount, charge.difference
        yield [
            restatement.billing_period,
            restatement.bill_to_type,
            charge.bill_to,
            charge.currency,
            charge.cause,
            *map(_at_least_cents, amounts),
        ]


def _charges(
    units: Iterable[Unit],
    before: Charges,
    changes: Iterable[Change],
    by_cause: Mapping[str, Charges],
) -> Iterator[RestatedCharge]:
    concerned: dict[tuple[str, Unit], Decimal] = defaultdict(Decimal)
    for change in changes:
        key = change.cause, _unit_of(change)
        concerned[key] = EXACT.add(concerned[key], change.closed[0])
    for unit in units:
        rows = []
        for cause in CAUSES:
            if difference := by_cause.get(cause, {}).get(unit, ZERO):
                amount = concerned[cause, unit]
                current = EXACT.add(amount, difference)
                rows.append(RestatedCharge(unit[1], unit[0], cause, amount, current))
        told = exact_sum(row.closed_amount for row in rows)
        rest = EXACT.subtract(before.get(unit, ZERO), told)
        yield from (*rows, RestatedCharge(unit[1], unit[0], UNCHANGED, rest, rest))


def _check_it_adds_up(restatement: Restatement, before: Charges, after: Charges) -> None:
    for (currency, unit), told in restatement.differences.items():
        at = currency, unit
        difference = EXACT.subtract(after.get(at, ZERO), before.get(at, ZERO))
        if told != difference:
            raise Problem(
                f"The causes do not add up to the difference of {unit} in {currency}: "
                f"{told} of {difference}.",
                "Do not post it.",
                "Refresh the month; if the problem remains, report it as a bug in this program.",
            )


def _unit_of(change: Change) -> Unit:
    about = dict(zip(ABOUT, change.about, strict=True))
    return about["currency"], about["unit"]


def _at_least_cents(amount: Decimal) -> Decimal:
    """The same amount without needless decimals, but in cents at least."""
    in_cents = EXACT.quantize(amount, CENT)
    return in_cents if in_cents == amount else amount.normalize(EXACT)
