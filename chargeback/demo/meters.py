"""What the demo company can buy: products, offers (a model in one tier and scope) and their meters.

Usage types follow the four grammars of Bedrock usage types (runtime, mantle, Marketplace older and
newer). Prices are of the size of list prices, not a price list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

AWS = "AWS"
MARKETPLACE = "AWS Marketplace"
E10 = 10**10
"""Costs are counted in 1e-10 dollars: the smallest part that appears on a bill."""

PrincipalRule = Literal["caller", "null", "empty", "mantle"]


@dataclass(frozen=True, slots=True)
class Region:
    """An AWS Region, its prefix in usage types and its name in the product columns."""

    code: str
    prefix: str
    location: str


REGIONS: Mapping[str, Region] = MappingProxyType(
    {
        key: Region(code, prefix, location)
        for key, code, prefix, location in (
            ("USE1", "us-east-1", "USE1", "US East (N. Virginia)"),
            ("USW2", "us-west-2", "USW2", "US West (Oregon)"),
            ("EUW1", "eu-west-1", "EUW1", "EU (Ireland)"),
            ("EU", "eu-west-1", "EU", "EU (Ireland)"),  # how older strings spell EUW1
            ("EUC1", "eu-central-1", "EUC1", "EU (Frankfurt)"),
            ("APN1", "ap-northeast-1", "APN1", "Asia Pacific (Tokyo)"),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Product:
    """A product on the bill. `code` is opaque where AWS Marketplace sells it."""

    code: str
    name: str
    billing_entity: str = AWS
    legal_entity: str = "Amazon Web Services, Inc."
    family: str = "Amazon Bedrock"


@dataclass(frozen=True, slots=True)
class Meter:
    """One usage type. `{r}` stands for the billing region's prefix.

    `quanta` indivisible parts (tokens, images, ten-thousandths of an hour) make one pricing unit;
    `price` is dollars per pricing unit; `kind` decides how much of it a caller uses. The
    description may name `{rate}`, `{region}` and `{location}`.
    """

    usage_type: str
    kind: str
    unit: str
    quanta: int
    price: Decimal
    description: str

    def rate(self, price_factor: Decimal = Decimal(1)) -> int:
        """Price of one quantum in 1e-10 dollars.

        Raises:
            ValueError: the price has no whole number of 1e-10 dollars per quantum.
        """
        exact = self.price * price_factor * E10 / self.quanta
        if exact != exact.to_integral_value():
            raise ValueError(f"{self.usage_type}: {self.price} per {self.unit} is too fine")
        return int(exact)


@dataclass(frozen=True, slots=True)
class Offer:
    """A model (or service) in one tier and scope: the meters that run together.

    `principal` says what `line_item_iam_principal` holds: the caller, NULL, `''`, or the caller
    only once bedrock-mantle reports it. `price_cut` is the factor of the story's price change.
    """

    product: Product
    meters: tuple[Meter, ...]
    operation: str = "InvokeModelInference"
    principal: PrincipalRule = "caller"
    price_cut: Decimal = Decimal(1)


# How each grammar spells a token kind: runtime, mantle, Marketplace older, newer, in words.
_SPELLINGS: Mapping[str, tuple[str, str, str, str, str]] = MappingProxyType(
    {
        "input": (
            "input-tokens",
            "input-tokens",
            "InputTokenCount",
            "input_tokens",
            "Input Tokens",
        ),
        "output": (
            "output-tokens",
            "output-tokens",
            "OutputTokenCount",
            "output_tokens",
            "Output Tokens",
        ),
        "cache read": (
            "cache-read-input-token-count",
            "cache-read-tokens",
            "CacheReadInputTokenCount",
            "cache_read_tokens",
            "Cache Read Input Tokens",
        ),
        "cache write": (
            "cache-write-input-token-count",
            "cache-write-tokens",
            "CacheWriteInputTokenCount",
            "cache_write_tokens",
            "Cache Write Input Tokens",
        ),
        "cache write 1h": (
            "cache-write-1h-input-token-count",
            "cache-write-tokens-1h",
            "CacheWrite1hInputTokenCount",
            "cache_write_tokens_1h",
            "Cache Write 1h Input Tokens",
        ),
        "cache write 30m": (
            "cache-write-30m-input-token-count",
            "cache-write-tokens-30m",
            "CacheWrite30mInputTokenCount",
            "cache_write_tokens_30m",
            "Cache Write 30m Input Tokens",
        ),
    }
)
_CACHE_FACTORS: Mapping[str, Decimal] = MappingProxyType(
    {
        "cache read": Decimal("0.1"),
        "cache write": Decimal("1.25"),
        "cache write 30m": Decimal("1.5"),
        "cache write 1h": Decimal(2),
    }
)
CACHE = ("cache read", "cache write")
CACHE_1H = (*CACHE, "cache write 1h")
CACHE_30M = ("cache read", "cache write 30m")
_TOKENS_PER_UNIT = MappingProxyType(
    {"1K tokens": 1_000, "1000 Tokens": 1_000, "1M tokens": 1_000_000}
)

Prices = Mapping[str, Decimal]
"""Dollars per million tokens, by token kind."""


def per_million(input_price: str, output_price: str, cached: tuple[str, ...] = ()) -> Prices:
    """Dollars per million tokens by kind; cache prices are multiples of the input price."""
    base = Decimal(input_price)
    listed = {"input": base, "output": Decimal(output_price)}
    return listed | {kind: base * _CACHE_FACTORS[kind] for kind in cached}


def plain(amount: Decimal) -> str:
    """A decimal without exponent and trailing zeros, as rates are written on the bill."""
    return format(amount.normalize(), "f")


def tokens_meter(usage_type: str, kind: str, price: Decimal, unit: str, what: str) -> Meter:
    """A token meter of an AWS product; `price` is dollars per million tokens."""
    quanta = _TOKENS_PER_UNIT[unit]
    unit_price = price * quanta / 1_000_000
    words = f"{unit.split(maxsplit=1)[0]} {kind} tokens" if kind in _SPELLINGS else unit
    text = f"${{rate}} per {words} for {what} in {{location}}"
    return Meter(usage_type, kind, unit, quanta, unit_price, text)


def runtime(
    model: str, prices: Prices, suffix: str = "", unit: str = "1K tokens"
) -> tuple[Meter, ...]:
    """Meters of bedrock-runtime: `REGION-MODEL-TOKENTYPE[-TIER][-cross-region-global]`."""
    return tuple(
        tokens_meter(
            f"{{r}}-{model}-{_SPELLINGS[kind][0]}{suffix}", kind, price, unit, f"{model}{suffix}"
        )
        for kind, price in prices.items()
    )


def mantle(model: str, prices: Prices, tier: str) -> tuple[Meter, ...]:
    """Meters of bedrock-mantle: `REGION-provider.model-mantle-TOKENTYPE-TIER`."""
    return tuple(
        tokens_meter(
            f"{{r}}-{model}-mantle-{_SPELLINGS[kind][1]}-{tier}",
            kind,
            price,
            "1K tokens",
            f"{model} {tier}",
        )
        for kind, price in prices.items()
    )


def software(usage_type: str, kind: str, price: Decimal, words: str, quanta: int = 1) -> Meter:
    """A meter of an AWS Marketplace product: `Units`, explained by the description only."""
    text = f"AWS Marketplace software usage|{{region}}|{words}"
    return Meter(usage_type, kind, "Units", quanta, price, text)


def marketplace_older(
    prices: Prices, suffix: str = "", *, where: str = "{r}_", scale: str = "Million "
) -> tuple[Meter, ...]:
    """Meters of the older Marketplace grammar: `REGION-MP:[REGION_]InputTokenCount…-Units`."""
    scope = "Global" if "_Global" in suffix else "Regional"
    return tuple(
        software(
            f"{{r}}-MP:{where}{_SPELLINGS[kind][2]}{suffix}-Units",
            kind,
            price,
            f"{scale}{_SPELLINGS[kind][4]} {scope}",
            1_000_000,
        )
        for kind, price in prices.items()
    )


def marketplace_newer(prices: Prices, modifiers: str = "") -> tuple[Meter, ...]:
    """Meters of the newer Marketplace grammar: `REGION-MP:REGION_input_tokens_…standard-Units`."""
    scope = "Global" if "global" in modifiers else "Regional"
    return tuple(
        software(
            f"{{r}}-MP:{{r}}_{_SPELLINGS[kind][3]}_{modifiers}standard-Units",
            kind,
            price,
            f"Million {_SPELLINGS[kind][4]} {scope}",
            1_000_000,
        )
        for kind, price in prices.items()
    )


def counted(usage_type: str, unit: str, price: str, quanta: int = 1) -> Meter:
    """A meter that does not count tokens."""
    text = f"${{rate}} per {unit} in {{location}}"
    return Meter(f"{{r}}-{usage_type}", unit, unit, quanta, Decimal(price), text)
