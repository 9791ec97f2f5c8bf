"""What the change of one caller is made of: tokens, prices, the mix of models and token types.

All parts add up to the change, to the last digit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import TypeVar

from chargeback.money import EXACT, LAST_DIGIT, ZERO, exact_sum
from chargeback.reports.movement import MovedMeter

INPUT, CACHE_READ, CACHE = "input", "cache read", "cache "
"""Token types of text sent to models; the last is how those of the prompt cache begin."""

_NONE = (ZERO, ZERO, ZERO)

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Used:
    """Some meters together in two months; costs in currency, tokens single tokens."""

    cost: Decimal = ZERO
    previous_cost: Decimal = ZERO
    tokens: Decimal = ZERO
    previous_tokens: Decimal = ZERO

    def __add__(self, meter: MovedMeter) -> Used:
        return Used(
            self.cost + meter.cost,
            self.previous_cost + meter.previous_cost,
            self.tokens + meter.tokens,
            self.previous_tokens + meter.previous_tokens,
        )

    @property
    def price(self) -> Decimal:
        """Of a token: the month before, or now if it was not used then."""
        if self.previous_tokens:
            return self.previous_cost / self.previous_tokens
        return self.cost / self.tokens if self.tokens else ZERO


@dataclass(frozen=True, slots=True)
class Effects:
    """The parts of one caller's change in usage, in currency."""

    caller: str
    """'' for callers that are not told apart."""
    name: str
    is_session: bool
    is_new: bool
    is_gone: bool
    tokens: Used
    """All its meters of tokens."""
    others: Mapping[str, Decimal]
    """The change of meters that are not tokens, by what they meter."""
    models: Mapping[str, Used]
    """Its meters of tokens by model."""
    price: Mapping[str, Decimal]
    """Tokens of this month at the difference in price of meters used in both, by model."""
    repriced: Mapping[str, Decimal]
    """What those meters cost this month, by model."""
    prompts: Used
    """Text sent to models, from the prompt cache or not."""
    cache_reads: Used
    """What of it came from the prompt cache."""
    volume: Decimal
    """More or fewer tokens at the average price of the month before; where spend moved, the mix
    is in it."""
    model_mix: Decimal
    """The move between models."""
    cache_mix: Decimal
    """The move between reading input in full and from the prompt cache."""
    other_mix: Decimal
    """The move between other token types, tiers and regions."""
    moved_tokens: Decimal
    """What of the change other units paid for the month before: not in volume."""
    moved_others: Decimal
    """The same of meters that are not tokens: not in `others`."""
    moved_unallocated: Decimal
    """What nobody pays for of the caller's spend has lost (negative) or won by such moves."""

    @property
    def mix(self) -> Decimal:
        """All moves between what is used."""
        return exact_sum([self.model_mix, self.cache_mix, self.other_mix])

    @property
    def moved(self) -> Decimal:
        """All that moved by attribution."""
        return exact_sum([self.moved_tokens, self.moved_others])

    @property
    def other_meters(self) -> Decimal:
        """What meters that are not tokens cost more."""
        return exact_sum([*self.others.values(), -self.moved_others])

    @property
    def change(self) -> Decimal:
        """The sum of all parts."""
        priced = self.price.values()
        return exact_sum([self.volume, *priced, self.mix, self.moved, self.other_meters])


def effects_of(meters: Iterable[MovedMeter]) -> list[Effects]:
    """The parts of each caller's change; of callers not told apart, new and gone ones apart."""
    usage = (meter for meter in meters if meter.charge_category == "usage")
    of_caller = _grouped(usage, lambda m: (m.caller, m.is_new, m.is_gone))
    with localcontext(EXACT):
        return [_effects(of_caller[key]) for key in sorted(of_caller)]


def _effects(meters: Sequence[MovedMeter]) -> Effects:
    of_tokens = [meter for meter in meters if meter.is_tokens]
    others = _grouped((m for m in meters if not m.is_tokens), lambda m: m.token_type)
    tokens = _together(of_tokens)
    total = tokens.cost - tokens.previous_cost
    moved = sum((m.moved for m in of_tokens), ZERO)
    models = {
        name: _together(used)
        for name, used in _grouped(of_tokens, _model).items()
        if name or any(m.change for m in used)
    }
    price, volume, model_mix, cache_mix = _in_parts(of_tokens, tokens, models)
    other_mix = total - volume - sum(price.values(), ZERO) - model_mix - cache_mix
    if moved:  # with a mix of its own, which is not how the caller works
        volume, model_mix, cache_mix, other_mix = volume + model_mix + cache_mix + other_mix, *_NONE
    first = meters[0]
    return Effects(
        caller=first.caller,
        name=max(m.caller_name for m in meters),
        is_session=any(m.is_session for m in meters),
        is_new=first.is_new,
        is_gone=first.is_gone,
        tokens=tokens,
        others={what: sum((m.change for m in used), ZERO) for what, used in others.items()},
        models=models,
        price=price,
        repriced={m: _repriced(used) for m, used in _grouped(of_tokens, _model).items()},
        prompts=_together(m for m in of_tokens if _is_prompt(m)),
        cache_reads=_together(m for m in of_tokens if m.token_type == CACHE_READ),
        volume=volume - moved,
        model_mix=model_mix,
        cache_mix=cache_mix,
        other_mix=other_mix,
        moved_tokens=moved,
        moved_others=sum((m.moved for m in meters if not m.is_tokens), ZERO),
        moved_unallocated=sum((m.moved_unallocated for m in meters), ZERO),
    )


def _in_parts(
    meters: Sequence[MovedMeter], tokens: Used, models: Mapping[str, Used]
) -> tuple[dict[str, Decimal], Decimal, Decimal, Decimal]:
    """Price by model, volume, the mix of models and that of the prompt cache."""
    if not tokens.tokens or not tokens.previous_tokens:
        return {}, tokens.cost - tokens.previous_cost, ZERO, ZERO
    of_model = _grouped(meters, _model)
    price = {model: _price(of_model[model]) for model in models}
    volume = (tokens.tokens * tokens.price - tokens.previous_cost).quantize(LAST_DIGIT)
    at_old_prices = sum((used.tokens * used.price for used in models.values()), ZERO)
    model_mix = (at_old_prices - tokens.tokens * tokens.price).quantize(LAST_DIGIT)
    cache_mix = sum((_cache_mix(of_model[model]) for model in models), ZERO)
    return {m: amount for m, amount in price.items() if amount}, volume, model_mix, cache_mix


def _price(meters: Sequence[MovedMeter]) -> Decimal:
    changes = (
        m.cost - m.previous_cost * m.tokens / m.previous_tokens for m in meters if _in_both(m)
    )
    return sum(changes, ZERO).quantize(LAST_DIGIT)


def _repriced(meters: Sequence[MovedMeter]) -> Decimal:
    return sum((m.cost for m in meters if _in_both(m)), ZERO)


def _in_both(meter: MovedMeter) -> bool:
    return bool(meter.tokens and meter.previous_tokens)


def _model(meter: MovedMeter) -> str:
    return meter.model


def _is_prompt(meter: MovedMeter) -> bool:
    return meter.token_type == INPUT or meter.token_type.startswith(CACHE)


def _cache_mix(meters: Sequence[MovedMeter]) -> Decimal:
    """As many tokens sent to a model, but otherwise cached."""
    prompts = [meter for meter in meters if _is_prompt(meter)]
    sent = _together(prompts)
    if not sent.tokens or not sent.previous_tokens:
        return ZERO
    by_type = [_together(used) for used in _grouped(prompts, lambda m: m.token_type).values()]
    at_old_prices = sum((used.tokens * used.price for used in by_type), ZERO)
    return (at_old_prices - sent.tokens * sent.price).quantize(LAST_DIGIT)


def _together(meters: Iterable[MovedMeter]) -> Used:
    used = Used()
    for meter in meters:
        used += meter
    return used


def _grouped(
    meters: Iterable[MovedMeter], key: Callable[[MovedMeter], Key]
) -> dict[Key, list[MovedMeter]]:
    found: dict[Key, list[MovedMeter]] = defaultdict(list)
    for meter in meters:
        found[key(meter)].append(meter)
    return dict(found)
