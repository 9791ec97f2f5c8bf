"""How many single tokens one unit of `line_item_usage_amount` stands for.

The pricing unit says it (`1K tokens`), except on AWS Marketplace lines, whose unit is `Units`:
there the description may say it (`…|Million Input Tokens Regional`), and else only the price.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

THOUSAND = Decimal(1_000)
MILLION = Decimal(1_000_000)

_SCALES: Mapping[str, Decimal] = MappingProxyType(
    {"": Decimal(1), "k": THOUSAND, "thousand": THOUSAND, "m": MILLION, "million": MILLION}
)
_TOKEN_UNIT = re.compile(
    r"(?:per\s+)?(\d{1,9})?\s*(k|m|thousand|million)?[\s-]*"
    r"(?:(?:batch|cache|cached|read|write|input|output|response|text|image|video|audio|speech)\s*)*"
    r"tokens?"
    r"(?:\s+(?:regional|global|geo))?",
    re.ASCII,
)
_SAYS_MILLION = re.compile(
    r"million|(?<![\d.,])1(?:,?000,?000|\s?m)\b(?!\s+context)", re.IGNORECASE | re.ASCII
)
_SAYS_THOUSAND = re.compile(
    r"thousand|(?<![\d.,])1(?:,?000|\s?k)\b(?!,|\s+context)", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True)
class _PriceRange:
    """Lowest and highest list prices, in dollars per million tokens, with room to spare."""

    low: Decimal
    high: Decimal

    def holds(self, rate: Decimal, tokens: Decimal) -> bool:
        """Say whether `rate` dollars can be the price of so many tokens."""
        share = tokens / MILLION
        return self.low * share <= rate <= self.high * share


_MARKETPLACE_PRICES: Mapping[str, _PriceRange] = MappingProxyType(
    {
        "input": _PriceRange(Decimal("0.02"), Decimal(50)),
        "output": _PriceRange(Decimal("0.1"), Decimal(250)),
        "cache read": _PriceRange(Decimal("0.003"), Decimal(5)),
        "cache write": _PriceRange(Decimal("0.02"), Decimal(100)),
    }
)
"""By token type; models sold through AWS Marketplace, AWS Price List of 2023 to 2026."""


def tokens_in_unit(pricing_unit: str) -> Decimal | None:
    """Read a pricing unit: `1K tokens`, `1000 Tokens`, `1M tokens`, `Million tokens`, `Tokens`.

    Returns:
        Single tokens in one unit, None where the unit does not count tokens.
    """
    match = _TOKEN_UNIT.fullmatch(pricing_unit.replace(",", "").strip().lower())
    if match is None:
        return None
    return Decimal(match[1] or 1) * _SCALES[match[2] or ""] or None


def is_unnamed(pricing_unit: str) -> bool:
    """Say whether the unit is Marketplace's `Units`, which names no size."""
    return pricing_unit.strip().lower() in {"unit", "units"}


def tokens_in_marketplace_unit(
    token_type: str, texts: str, rate: Decimal | None
) -> tuple[Decimal | None, str]:
    """Size of Marketplace's `Units` on a token line.

    Args:
        token_type: the token type, which decides what price is plausible.
        texts: usage type and description; the size they name settles it.
        rate: unblended cost per unit, in dollars; None where it is not known.

    Returns:
        Single tokens in one unit, and a sentence for the user ('' where the size is certain); None
        where neither the texts nor the rate settle it.
    """
    thousand, million = bool(_SAYS_THOUSAND.search(texts)), bool(_SAYS_MILLION.search(texts))
    if thousand != million:
        return (THOUSAND if thousand else MILLION), ""
    if rate is None or not rate.is_finite() or not rate:
        return None, "The unit names no size, and no price in dollars tells it."
    return _size_from_rate(token_type, abs(rate))


def _size_from_rate(token_type: str, rate: Decimal) -> tuple[Decimal | None, str]:
    prices = _prices_of(token_type)
    fits_million, fits_thousand = prices.holds(rate, MILLION), prices.holds(rate, THOUSAND)
    if fits_million and not fits_thousand:
        return MILLION, ""
    if fits_thousand and not fits_million:
        return THOUSAND, "The unit names no size; the rate fits 1,000 tokens."
    if fits_thousand:
        return None, "The unit names no size; the rate fits 1,000 and 1,000,000 tokens alike."
    return None, "The unit names no size, and the rate fits none that is known."


def _prices_of(token_type: str) -> _PriceRange:
    if token_type.startswith("cache write"):
        return _MARKETPLACE_PRICES["cache write"]
    direction = "output" if token_type.endswith("output") else "input"
    return _MARKETPLACE_PRICES.get(token_type, _MARKETPLACE_PRICES[direction])
