"""What is handed to one unit: its charge of a month, how it is made up, and why it changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chargeback.billing_period import is_over, months_until, previous_month
from chargeback.dimensions import CHARGED, UNALLOCATED, Dimension
from chargeback.errors import UsageProblem
from chargeback.money import exact_sum, in_cents, per_million
from chargeback.notices import Notice
from chargeback.reports.period_status import INVOICED
from chargeback.reports.summary import HISTORY_MONTHS
from chargeback.statement.build import Charge, Statement
from chargeback.statement.charge_parts import ChargePart, Unit, charge_parts
from chargeback.statement.documents import CloseNote, Document
from chargeback.statement.unit_settings import StatementSettings

if TYPE_CHECKING:
    from chargeback.statement.unit_names import Named  # asks reports that need pandas: slow

MOST_PARTS = 12
"""Rows of what a charge is made of; the smallest beyond them are one."""


@dataclass(frozen=True, slots=True)
class Charged:
    """What a unit was charged in a month, in cents."""

    own: Decimal
    """By its own lines."""
    total: Decimal


@dataclass(frozen=True, slots=True)
class SpendPart:
    """A caller, a model or a token type of a unit's own lines; all others are one."""

    name: str
    as_billed: str
    """A caller's ARN where people call it otherwise; else ''."""
    cost: Decimal
    """In cents."""
    tokens: Decimal
    cost_per_million: Decimal | None
    """Tokens, exact; None without."""


@dataclass(frozen=True, slots=True)
class Split:
    """A unit's own lines by one dimension: adds up to what they come to."""

    dimension: Dimension
    parts: tuple[SpendPart, ...]


@dataclass(frozen=True, slots=True)
class Used:
    """The tokens of a month and what they cost: single tokens, exact."""

    tokens: Decimal
    token_cost: Decimal

    @property
    def cost_per_million(self) -> Decimal | None:
        """None without tokens."""
        return per_million(self.token_cost, self.tokens)


@dataclass(frozen=True, slots=True)
class UnitStatement:
    """The statement of one unit, month and currency; amounts in cents unless said."""

    unit: str
    name: str
    """How people call it."""
    dimension: Dimension
    by: str
    month: str
    currency: str
    number: int
    """Its place among the statements of the month, from 1."""
    status: str
    data_as_of: datetime
    is_over: bool
    charged: Charged
    last: Charged | None
    """Of the month before; None where that is not in the store."""
    reason: str
    """Why what its own lines come to changed; '' where nothing is compared."""
    parts: tuple[ChargePart, ...]
    """Add up to the charge."""
    splits: tuple[Split, ...]
    history: tuple[tuple[str, Decimal | None], ...]
    """Thirteen months, oldest first, with the charge under the present rules; None where a month
    is not in the store."""
    used: Used
    used_last: Used | None
    notices: tuple[Notice, ...]
    document: Document | None
    """What is posted by it, or is going to be; None while no month was ever closed."""
    closed: CloseNote | None
    """Who closed the month; None while it is open."""
    contact: str
    dispute_days: int

    @property
    def change(self) -> Decimal | None:
        """Against the month before; None for an open month, which is not all there yet."""
        if self.last is None or not self.is_over:
            return None
        return self.charged.total - self.last.total

    @property
    def amount_due(self) -> Decimal:
        """The charge, and what of earlier months is corrected with it."""
        return self.document.amount_due if self.document else self.charged.total

    @property
    def dispute_until(self) -> date | None:
        """The last day to object; None while the month is provisional."""
        if self.closed:
            return self.closed.when.date() + timedelta(days=self.dispute_days)
        if self.status != INVOICED:
            return None
        return self.data_as_of.date() + timedelta(days=self.dispute_days)


@dataclass(frozen=True)
class UnitStatements:
    """All that the statements of a month are made of, asked of the store at once."""

    statement: Statement
    today: date
    settings: StatementSettings
    named: Named
    parts: Mapping[Unit, Sequence[ChargePart]]
    charged: Mapping[str, Mapping[Unit, Charged]]
    """By month, thirteen of them; without those that the store does not hold."""
    splits: Mapping[Dimension, Mapping[Unit, Sequence[Mapping[str, Any]]]]
    """Rows of queries/reports/unit_parts.sql."""
    used: Mapping[Unit, Used]
    used_last: Mapping[Unit, Used]
    reasons: Mapping[Unit, str]
    months: Sequence[str]

    @cached_property
    def _numbers(self) -> dict[Unit, int]:
        charges = self.statement.charges
        return {(each.currency, each.bill_to): at for at, each in enumerate(charges, start=1)}

    def find(self, unit: str) -> list[Charge]:
        """The charges of a unit, one in each currency. Raises UsageProblem if there is none."""
        found = [charge for charge in self.statement.charges if charge.bill_to == unit]
        if not found:
            by, month = self.statement.bill_to_type, self.statement.billing_period
            largest = ", ".join(each.bill_to for each in self.statement.by_amount[:5])
            raise UsageProblem(
                f"Nothing is charged to the {CHARGED[by].noun} {unit!r} in {month}.",
                todo=f"Choose another: {largest}, …",
            )
        return found

    def of(self, charge: Charge) -> UnitStatement:
        """The statement of one charge."""
        statement, at = self.statement, (charge.currency, charge.bill_to)
        month = statement.billing_period
        before = previous_month(month)
        charged = self.charged[month][at]
        is_comparable = before in self.charged and is_over(month, self.today)
        return UnitStatement(
            unit=charge.bill_to,
            name=self.named(charge.bill_to),
            dimension=CHARGED[statement.bill_to_type],
            by=statement.bill_to_type,
            month=month,
            currency=charge.currency,
            number=self._numbers[at],
            status=statement.period_status,
            data_as_of=statement.data_as_of,
            is_over=is_over(month, self.today),
            charged=charged,
            last=self.charged[before].get(at, NOTHING) if before in self.charged else None,
            reason=self.reasons.get(at, "") if is_comparable else "",
            parts=_folded(self.parts[at]),
            splits=tuple(
                Split(dimension, _spend_parts(rows.get(at, ()), dimension, charged.own))
                for dimension, rows in self.splits.items()
            ),
            history=tuple(
                (m, self.charged[m].get(at, NOTHING).total if m in self.charged else None)
                for m in self.months
            ),
            used=self.used.get(at, UNUSED),
            used_last=self.used_last.get(at, UNUSED) if is_comparable else None,
            notices=statement.notices,
            document=statement.documents_by_unit.get(at),
            closed=statement.closed,
            contact=self.settings.contact,
            dispute_days=self.settings.dispute_days,
        )


NOTHING = Charged(Decimal("0.00"), Decimal("0.00"))
UNUSED = Used(Decimal(), Decimal())


def _folded(parts: Sequence[ChargePart]) -> tuple[ChargePart, ...]:
    """At most MOST_PARTS: the smallest that rules moved are one."""
    if len(parts) <= MOST_PARTS:
        return tuple(parts)
    moved = [at for at, part in enumerate(parts) if not part.is_own]
    small = sorted(moved, key=lambda at: abs(parts[at].amount))[: len(parts) - MOST_PARTS + 1]
    rest = exact_sum(parts[at].amount for at in small)
    kept = (part for at, part in enumerate(parts) if at not in small)
    return (*kept, ChargePart(f"{len(small)} smaller parts", rest, is_own=False))


def _spend_parts(
    rows: Sequence[Mapping[str, Any]], dimension: Dimension, own: Decimal
) -> tuple[SpendPart, ...]:
    cents = in_cents([row["cost"] for row in rows], own)
    return tuple(
        SpendPart(
            name=_name(row, dimension),
            as_billed=row["part"] if row["part"] not in ("", UNALLOCATED, row["name"]) else "",
            cost=cost,
            tokens=row["tokens"],
            cost_per_million=per_million(row["token_cost"], row["tokens"]),
        )
        for row, cost in zip(rows, cents, strict=True)
    )


def _name(row: Mapping[str, Any], dimension: Dimension) -> str:
    if row["part"] == UNALLOCATED:
        return f"(no {dimension.noun} named)"
    if row["part"]:
        return str(row["name"])
    count = row["parts"]
    return f"{count:,} other {dimension.noun if count == 1 else dimension.plural}"


def history_of(month: str) -> list[str]:
    """The months whose charges a statement shows, oldest first."""
    return months_until(month, HISTORY_MONTHS)


def charges_of(statement: Statement) -> dict[Unit, Charged]:
    """What every unit is charged."""
    return {unit: _charged(found) for unit, found in charge_parts(statement).items()}


def _charged(parts: Iterable[ChargePart]) -> Charged:
    own, moved = Decimal("0.00"), Decimal("0.00")
    for part in parts:
        own, moved = (own + part.amount, moved) if part.is_own else (own, moved + part.amount)
    return Charged(own, own + moved)
