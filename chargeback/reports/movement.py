"""What changed since the month before, by caller and meter: of this, bridge and causes are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from chargeback.billing_period import previous_month
from chargeback.dimensions import ATTRIBUTED, BY_NAME
from chargeback.money import ZERO, exact_sum
from chargeback.reports.answers import Answers
from chargeback.reports.view import View

TOLD = 25
"""Callers of a unit that are told apart; a bill can have twenty thousand."""
WHOLE = ""
"""Stands for the dimension, and for the unit, of a view that is not narrowed."""

ATTRIBUTED_NAMES = frozenset(dimension.name for dimension in ATTRIBUTED)


@dataclass(frozen=True, slots=True)
class MovedMeter:
    """One meter of one caller in two months; costs in currency, tokens single tokens."""

    charge_category: str
    caller: str
    """A principal, or a session of a role that works for several; '' for callers not told apart."""
    caller_name: str
    is_session: bool
    """Whether the caller is an IAM principal as billed."""
    is_new: bool
    """Whether the caller has no usage the month before, whoever paid."""
    is_gone: bool
    is_tokens: bool
    model: str
    token_type: str
    service_tier: str
    usage_type: str
    cost: Decimal
    previous_cost: Decimal
    tokens: Decimal
    previous_tokens: Decimal
    moved: Decimal = ZERO
    """What of the change other units paid for the month before, or pay now (negative)."""
    moved_unallocated: Decimal = ZERO
    """The same of what nobody pays for of the caller's spend."""

    @property
    def change(self) -> Decimal:
        """Of the cost."""
        return exact_sum([self.cost, -self.previous_cost])

    @property
    def is_usage(self) -> bool:
        """Whether it is no tax, fee, credit, refund or discount."""
        return self.charge_category == "usage"


_NOTHING: dict[str, Any] = {
    **dict.fromkeys(("model", "token_type", "service_tier", "usage_type"), ""),
    **dict.fromkeys(("cost", "previous_cost", "tokens", "previous_tokens"), ZERO),
}
_OTHERS = MovedMeter("usage", "", "", False, False, False, False, **_NOTHING)


@dataclass(frozen=True, slots=True)
class CallerDay:
    """One day of a caller; costs are of usage, in currency, tokens single tokens."""

    usage_date: date
    token_cost: Decimal
    other_cost: Decimal
    """Of meters that are not tokens."""
    prompt_tokens: Decimal
    """Text sent to models, from the prompt cache or not."""
    cache_read_tokens: Decimal

    def __add__(self, same_day: CallerDay) -> CallerDay:
        return CallerDay(
            self.usage_date,
            self.token_cost + same_day.token_cost,
            self.other_cost + same_day.other_cost,
            self.prompt_tokens + same_day.prompt_tokens,
            self.cache_read_tokens + same_day.cache_read_tokens,
        )


@dataclass(frozen=True, slots=True)
class Subject:
    """Units whose change is looked at, among everything that their callers do."""

    view: View
    """Without what narrows it to the units: it holds what the units are told apart from."""
    dimension: str
    units: tuple[str, ...]
    attributed: str
    """The dimension whose tags can move spend into the view or out of it; '' for none."""
    inside: tuple[str, ...] | None
    """The units of `attributed` that are looked at, where those are not `units`."""
    outer: View
    """Without what narrows it to `units`, but inside `inside`."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Of the statements that start from by_caller.sql."""
        return {
            "dimension": self.dimension,
            "named": self.units,
            "attributed": self.attributed,
            "inside": self.inside,
            "previous_month": previous_month(self.view.month),
        }

    @property
    def two_months(self) -> View:
        """The view of the month and the month before."""
        return self.view.since(previous_month(self.view.month))


def subject_of(view: View) -> Subject:
    """What a view is narrowed to, told apart from what it is narrowed from."""
    conditions = [(dimension, values) for dimension, values in view.where if values]
    if not conditions:
        return Subject(view, WHOLE, (WHOLE,), "", None, view)
    dimension = conditions[-1][0]
    outer, units = _without(view, dimension)
    if dimension in ATTRIBUTED_NAMES:
        return Subject(outer, dimension, units, dimension, None, outer)
    attributed = next((d for d, _ in reversed(conditions) if d in ATTRIBUTED_NAMES), "")
    if not attributed:
        return Subject(outer, dimension, units, "", None, outer)
    widest, inside = _without(outer, attributed)
    return Subject(widest, dimension, units, attributed, inside, outer)


def movement(answers: Answers, view: View) -> list[MovedMeter]:
    """What changed within a view."""
    found = movement_by_unit(answers, subject_of(view))
    return [meter for meters in found.values() for meter in meters]


def movement_by_unit(answers: Answers, subject: Subject) -> Mapping[str, Sequence[MovedMeter]]:
    """What changed within each unit that has lines in one of the months."""
    return answers.made_once(_movement_by_unit, subject)


def _movement_by_unit(answers: Answers, subject: Subject) -> dict[str, list[MovedMeter]]:
    view = subject.two_months
    rows = answers.ask("movement", view.grain, view, told=TOLD, **subject.parameters).to_pylist()
    meters: dict[str, list[MovedMeter]] = {}
    for row in rows:
        meters.setdefault(row.pop("unit"), []).append(MovedMeter(**row))
    if subject.attributed:
        callers = {meter.caller for of_unit in meters.values() for meter in of_unit} - {""}
        _add_moves(answers, subject, meters, callers)
    return meters


def _add_moves(
    answers: Answers, subject: Subject, meters: dict[str, list[MovedMeter]], callers: set[str]
) -> None:
    """Adds a meter of no cost for what moved of each caller, where the unit tells it apart."""
    for (unit, told, is_tokens), moves in _moves(answers, subject, callers).items():
        of_unit = meters[unit]
        caller = next((m for m in of_unit if m.caller == told and m.is_usage), _OTHERS)
        of_unit.append(
            replace(
                caller,
                **_NOTHING,
                is_tokens=is_tokens,
                moved=exact_sum(each["moved"] for each in moves),
                moved_unallocated=exact_sum(each["moved_unallocated"] for each in moves),
            )
        )


def _moves(
    answers: Answers, subject: Subject, callers: set[str]
) -> dict[tuple[str, str, bool], list[dict[str, Any]]]:
    """What moved, by unit, caller ('' for those not told apart) and whether tokens are counted.

    All units' is asked for: few rows, which all who look at another unit are given again.
    """
    view = subject.two_months
    moves = answers.ask("moves", view.grain, view, **subject.parameters)
    looked_at = pc.is_in(moves["unit"], pa.array(subject.units, pa.string()))
    if subject.inside is not None:
        inside = pc.is_in(moves["home"], pa.array(subject.inside, pa.string()))
        looked_at = pc.and_(looked_at, inside)
    found: dict[tuple[str, str, bool], list[dict[str, Any]]] = {}
    for row in moves.filter(looked_at).to_pylist():
        told = row["caller"] if row["caller"] in callers else ""
        found.setdefault((row["unit"], told, row["is_tokens"]), []).append(row)
    return dict(sorted(found.items()))


Days = dict[tuple[str, str], list[CallerDay]]
"""By unit and caller, the oldest first."""


def days_of_callers(answers: Answers, subject: Subject, meters: Iterable[MovedMeter]) -> Days:
    """Each day, in both months and within each unit, of the callers that meters tell apart."""
    called = {(meter.caller, meter.is_session) for meter in meters if meter.caller}
    if not called:
        return {}
    rows = answers.ask(
        "caller_days",
        "daily",
        subject.two_months,
        principals=tuple(sorted(caller for caller, is_session in called if not is_session)),
        sessions=tuple(sorted(caller for caller, is_session in called if is_session)),
        **subject.parameters,
    ).to_pylist()
    days: Days = {}
    for row in rows:
        key = (row.pop("unit"), row.pop("caller"))
        days.setdefault(key, []).append(CallerDay(**row))
    return days


def _without(view: View, dimension: str) -> tuple[View, tuple[str, ...]]:
    """The view without its conditions on a dimension, and the units that meet all of them."""
    asked = [values for name, values in view.where if name == dimension and values]
    met = tuple(unit for unit in asked[-1] if all(unit in values for values in asked))
    outer = replace(view, where=tuple(each for each in view.where if each[0] != dimension))
    return outer, _as_in_rows(dimension, met)


def _as_in_rows(dimension: str, units: Sequence[str]) -> tuple[str, ...]:
    """With '' where readers see what stands for it, as rows have it."""
    blank = BY_NAME[dimension].blank
    return tuple(dict.fromkeys([*units, *([""] if blank in units and blank else [])]))
