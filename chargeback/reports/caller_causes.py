"""The causes of one caller's change, in words: it is new, ran away, changed models, did more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chargeback.dimensions import UNALLOCATED
from chargeback.formats import long_day_name, short_month, signed_percent
from chargeback.reports.effects import Effects
from chargeback.reports.movement import CallerDay
from chargeback.reports.runs import Run, cache_change, first_day, runaways

SWITCH = Decimal("0.2")
"""Of a caller's tokens, that leave one model and come to another where it switches."""
NOTABLE = Decimal("0.02")
"""Of what a caller cost, from which a switch is told as one."""
RUNAWAY = Decimal("0.1")
"""Of what a caller cost in a month, from which a run of days is told."""

Days = Mapping[str, Sequence[CallerDay]]
"""By caller, the oldest first."""
Switches = Mapping[str, tuple[str, str]]
"""By caller the model that it left and the one that it came to."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One contribution to a change."""

    amount: Decimal
    """Of the change, in currency."""
    who: str
    """Callers or a model by name; '' where it is no one's."""
    what: str
    """What happened, in words."""
    dimension: str = ""
    """Of what it leads to; '' where it leads nowhere."""
    unit: str = ""
    first_day: date | None = None
    """Of the days that it is about; None where it is about the month."""
    last_day: date | None = None

    @property
    def words(self) -> str:
        """The cause in words."""
        return f"{self.who}: {self.what}" if self.who else self.what


def causes_of_caller(
    of: Effects, days: Sequence[CallerDay], month: str, switches: Switches
) -> Iterator[Cause]:
    """Its causes, but for prices, attribution and slow changes of the cache, told for all at once.

    Args:
        of: what its change is made of.
        days: its own.
        month: the later one, YYYY-MM.
        switches: as causes_of takes them.
    """
    if of.is_new or of.is_gone:
        yield _came_or_went(of, days)
        return
    volume, other_meters = of.volume, of.other_meters
    for run in _runaways(of, days):
        sign = 1 if run.first.isoformat().startswith(month) else -1
        yield _runaway(of, run, sign)
        volume -= sign * run.token_excess
        other_meters -= sign * run.other_excess
    yield _of(of, volume, _volume(of, volume, switches.get(of.caller)))
    yield _of(of, other_meters, _meters(of, other_meters))
    yield from _mixes(of, days)


def switch_of(of: Effects) -> tuple[str, str] | None:
    """The model that a caller left and the one that it came to, with much of its work."""
    shifts = _shifts(of)
    if not shifts:
        return None
    old = min(shifts, key=lambda model: (shifts[model], model))
    new = max(shifts, key=lambda model: (shifts[model], model))
    return None if shifts[old] > -SWITCH or shifts[new] < SWITCH else (old, new)


def leads_to(of: Effects) -> tuple[str, str]:
    """The dimension and the unit that show a caller; both '' where it is not told apart."""
    if not of.caller:
        return "", ""
    return ("iam_principal" if of.is_session else "principal"), of.caller


def name_of_caller(of: Effects) -> str:
    """How a caller is called, at the beginning of a cause."""
    if of.caller == UNALLOCATED:
        return "No principal recorded"
    return of.name if of.caller else "Other callers"


def short_model(model: str) -> str:
    """Without the family's first name, which all its models have."""
    return model.removeprefix("Claude ")


def since(days: Sequence[CallerDay], word: str) -> str:
    """' since 12 October', where a caller's days do not begin with a month."""
    first = first_day(days)
    return f" {word} {long_day_name(first)}" if first else ""


def _of(of: Effects, amount: Decimal, what: str, first: date | None = None) -> Cause:
    return Cause(amount, name_of_caller(of), what, *leads_to(of), first_day=first)


def _came_or_went(of: Effects, days: Sequence[CallerDay]) -> Cause:
    if not of.caller:
        return Cause(of.change, "", f"other callers that {'are new' if of.is_new else 'stopped'}")
    what = "new caller" + since(days, "since") if of.is_new else "no longer calls"
    return _of(of, of.change, what)


def _runaways(of: Effects, days: Sequence[CallerDay]) -> list[Run]:
    """Those that matter, of one caller: usage without a principal is of many."""
    least = RUNAWAY * max(of.tokens.cost, of.tokens.previous_cost)
    runs = [] if of.caller == UNALLOCATED else runaways(days)
    return [run for run in runs if run.excess >= least]


def _runaway(of: Effects, run: Run, sign: int) -> Cause:
    one_day = run.first == run.last
    days = f"{run.first.day}" if one_day else f"{run.first.day}–{run.last.day}"
    days = f"{days} {short_month(run.first.isoformat())}"
    what = f"runaway on {days}" if sign > 0 else f"its runaway of {days} ended"
    return Cause(sign * run.excess, of.name, what, *leads_to(of), run.first, run.last)


def _volume(of: Effects, amount: Decimal, switch: tuple[str, str] | None) -> str:
    used, words = of.tokens, "more tokens" if amount > 0 else "fewer tokens"
    if switch and {*of.models} & {*switch}:
        old, new = switch
        return f"moved here from {short_model(old)}" if new in of.models else _moved_to(new)
    if of.moved or amount != of.volume:  # all its tokens are not what the amount stands for
        return words
    if not used.previous_tokens:
        is_named_now = of.caller == UNALLOCATED
        return "first named on the bill" if is_named_now else "no spend here the month before"
    if not used.tokens:
        return "no spend here any more"
    return f"{words} ({signed_percent(used.tokens / used.previous_tokens - 1)})"


def _moved_to(model: str) -> str:
    return f"moved to {short_model(model)}"


def _meters(of: Effects, amount: Decimal) -> str:
    what = max(of.others, key=lambda name: (abs(of.others[name]), name), default="")
    return f"{'more' if amount > 0 else 'less'} use of {what or 'other meters'}"


def _mixes(of: Effects, days: Sequence[CallerDay]) -> Iterator[Cause]:
    """What changed in what a caller uses: its model, its prompt cache, the rest together."""
    rest, switch = of.other_mix, switch_of(of)
    if switch and abs(of.model_mix) > NOTABLE * of.tokens.previous_cost:
        yield _of(of, of.model_mix, " → ".join(short_model(model) for model in switch))
    else:
        rest += of.model_mix
    cache = cache_change(days)
    if cache and of.cache_mix:
        words = "prompt cache lost" if cache.is_lost else "prompt cache in use"
        day = long_day_name(cache.since)
        yield _of(of, of.cache_mix, f"{words} since {day}", first=cache.since)
    yield _of(of, rest, _mix(of, rest))


def _mix(of: Effects, amount: Decimal) -> str:
    """'dearer mix, more Opus 5.5', where it is models that differ."""
    words = "dearer mix" if amount > 0 else "cheaper mix"
    if amount == of.other_mix or abs(of.other_mix) > abs(of.model_mix):
        return f"{words} of token types"
    gains = _shifts(of)
    parts = {m: gains[m] * (used.price - of.tokens.price) for m, used in of.models.items()}
    most = max(parts, key=lambda model: (parts[model] * amount, model))
    return f"{words}, {'more' if gains[most] > 0 else 'less'} {short_model(most)}"


def _shifts(of: Effects) -> dict[str, Decimal]:
    """By model, what its share of the caller's tokens gained; empty without tokens to share."""
    now, before = of.tokens.tokens, of.tokens.previous_tokens
    if not now or not before:
        return {}
    return {m: u.tokens / now - u.previous_tokens / before for m, u in of.models.items()}
