"""Why spend changed: the largest contributions, found across callers, models, token types and days.

Each is named by its cause ("research-agent: its runaway of 11–14 September ended"), not by the
arithmetic behind it. No amount is in two causes: all causes of a view add up to its change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import localcontext

from chargeback.dimensions import BY_NAME, UNALLOCATED
from chargeback.formats import percent, signed_percent
from chargeback.money import EXACT, ZERO, exact_sum, share_of
from chargeback.reports.answers import Answers
from chargeback.reports.caller_causes import (
    Cause,
    Days,
    Switches,
    causes_of_caller,
    leads_to,
    name_of_caller,
    short_model,
    since,
    switch_of,
)
from chargeback.reports.effects import CACHE_READ, Effects, effects_of
from chargeback.reports.movement import (
    CallerDay,
    MovedMeter,
    Subject,
    days_of_callers,
    movement,
    movement_by_unit,
    subject_of,
)
from chargeback.reports.runs import cache_change
from chargeback.reports.view import View

NAMED = 2
"""Callers that a cause names; the others are counted."""


def causes(answers: Answers, view: View, count: int | None = None) -> Sequence[Cause]:
    """The largest causes of a view's change since the month before, the largest first.

    Args:
        answers: the answers.
        view: whole, filtered, or narrowed to a unit.
        count: how many; None for all, which add up to the change, to the last digit.
    """
    return answers.made_once(_causes, view)[:count]


def causes_by_unit(answers: Answers, subject: Subject) -> Mapping[str, Sequence[Cause]]:
    """All causes of each unit's change, the largest first."""
    return answers.made_once(_causes_by_unit, subject)


def causes_of(
    meters: Iterable[MovedMeter],
    days: Days,
    month: str,
    moved_within: tuple[str, Collection[str]] = ("", ()),
    switches: Switches | None = None,
) -> tuple[Cause, ...]:
    """All causes of a change that is not zero, the largest first; equal ones by their words.

    Args:
        meters: what changed.
        days: of the callers that are told apart.
        month: the later one, YYYY-MM.
        moved_within: the dimension whose tags can move spend, and the units of it looked at.
        switches: of callers that went from one model to another, where only one is looked at.
    """
    with localcontext(EXACT):
        found = _found(list(meters), days, month, moved_within, switches or {})
    return tuple(sorted(found, key=lambda each: (-abs(each.amount), each.words)))


def _found(
    meters: Sequence[MovedMeter],
    days: Days,
    month: str,
    moved_within: tuple[str, Collection[str]],
    switches: Switches,
) -> list[Cause]:
    effects = effects_of(meters)
    going_on = [of for of in effects if not (of.is_new or of.is_gone)]
    rest = exact_sum(meter.change for meter in meters if not meter.is_usage)
    found = [
        *(
            c
            for of in effects
            for c in causes_of_caller(of, days.get(of.caller, ()), month, switches)
        ),
        *_prices(going_on),
        *_caches(going_on, days),
        *_moves(going_on, days, *moved_within),
        Cause(rest, "", "tax, fees, credits, discounts"),
    ]
    return [each for each in found if each.amount]


def _causes(answers: Answers, view: View) -> tuple[Cause, ...]:
    subject = subject_of(view)
    found = movement_by_unit(answers, subject)
    meters = [meter for of_unit in found.values() for meter in of_unit]
    days: dict[str, list[CallerDay]] = {}
    for (_, caller), of_caller in _days(answers, subject, found).items():
        days[caller] = _by_day([*days.get(caller, ()), *of_caller])
    within = (subject.attributed, subject.inside or subject.units)
    return causes_of(meters, days, view.month, within, _switches(answers, subject))


def _causes_by_unit(answers: Answers, subject: Subject) -> dict[str, tuple[Cause, ...]]:
    found, switches = movement_by_unit(answers, subject), _switches(answers, subject)
    of_days = _days(answers, subject, found)
    return {
        unit: causes_of(
            meters,
            {caller: days for (of, caller), days in of_days.items() if of == unit},
            subject.view.month,
            (subject.attributed, subject.inside or (unit,)),
            switches,
        )
        for unit, meters in found.items()
    }


def _days(
    answers: Answers, subject: Subject, found: Mapping[str, Sequence[MovedMeter]]
) -> dict[tuple[str, str], list[CallerDay]]:
    of_units = (meter for meters in found.values() for meter in meters)
    return days_of_callers(answers, subject, of_units)


def _switches(answers: Answers, subject: Subject) -> Switches:
    """Where only some models are looked at, callers that left one of all models for another."""
    if subject.dimension != "model":
        return {}
    effects = effects_of(movement(answers, subject.outer))
    return {of.caller: found for of in effects if of.caller and (found := switch_of(of))}


def _prices(effects: Iterable[Effects]) -> Iterator[Cause]:
    """What a model's price changed, over all callers."""
    effects = list(effects)
    for model in sorted({model for of in effects for model in of.price}):
        amount = exact_sum(of.price.get(model, ZERO) for of in effects)
        now = exact_sum(of.repriced.get(model, ZERO) for of in effects)
        ratio = share_of(amount, now - amount)
        yield Cause(amount, short_model(model), f"price {signed_percent(ratio)}", "model", model)


def _caches(effects: Iterable[Effects], days: Days) -> Iterator[Cause]:
    """The slow change in what is read from the prompt cache, of callers without a date for it."""
    slow = [of for of in effects if of.cache_mix and not cache_change(days.get(of.caller, ()))]
    read, sent = [of.cache_reads for of in slow], [of.prompts for of in slow]
    now = share_of(exact_sum(u.tokens for u in read), exact_sum(u.tokens for u in sent))
    before = share_of(
        exact_sum(u.previous_tokens for u in read), exact_sum(u.previous_tokens for u in sent)
    )
    amount = exact_sum(of.cache_mix for of in slow)
    more = "more" if (now or ZERO) > (before or ZERO) else "less"
    what = f"{more} input from the prompt cache ({percent(before)} → {percent(now)})"
    yield Cause(amount, "", what, "token_type", CACHE_READ)


def _moves(
    effects: Iterable[Effects], days: Days, attributed: str, looked_at: Collection[str]
) -> Iterator[Cause]:
    """What other units paid for the month before, or pay for now, told by what happened."""
    moved: dict[str, list[Effects]] = {}
    for of in effects:
        if of.moved:
            moved.setdefault(_move(of, attributed, looked_at), []).append(of)
    for what, callers in moved.items():
        callers.sort(key=lambda of: (-abs(of.moved), of.name))
        of_largest = days.get(callers[0].caller, ()) if callers[0].moved > 0 else ()
        amount = exact_sum(of.moved for of in callers)
        alone = callers[0] if len(callers) == 1 else None
        dimension, unit = leads_to(alone) if alone else ("", "")
        began = since(of_largest, "on" if "arrived" in what else "since")
        yield Cause(amount, _names(callers), what + began, dimension, unit)


def _move(of: Effects, attributed: str, looked_at: Collection[str]) -> str:
    noun, gains = BY_NAME[attributed].noun, of.moved > 0
    if of.caller == UNALLOCATED and gains is not (UNALLOCATED in looked_at):
        return "callers named"
    if UNALLOCATED in looked_at:
        return f"{noun} tag gone" if gains else f"{noun} tag arrived"
    if of.moved_unallocated:
        return f"{noun} tag arrived" if gains else f"{noun} tag gone"
    return f"came from another {noun}" if gains else f"went to another {noun}"


def _names(callers: Sequence[Effects]) -> str:
    names = [name_of_caller(of) for of in callers[:NAMED]]
    more = len(callers) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _by_day(days: Iterable[CallerDay]) -> list[CallerDay]:
    """One for each day: the units of a filter are looked at together."""
    found: dict[date, CallerDay] = {}
    for day in days:
        same = found.get(day.usage_date)
        found[day.usage_date] = day if same is None else same + day
    return [found[key] for key in sorted(found)]
