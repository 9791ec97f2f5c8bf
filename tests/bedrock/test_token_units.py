"""Sizes of pricing units, and of Marketplace's `Units`, which names none."""

from decimal import Decimal

import pytest

from chargeback.bedrock.token_units import tokens_in_marketplace_unit, tokens_in_unit


@pytest.mark.parametrize(
    ("unit", "tokens"),
    [
        ("1K tokens", 1000), ("1k Tokens", 1000), (" 1000  Tokens ", 1000), ("1,000 tokens", 1000),
        ("1KTokens", 1000), ("Thousand tokens", 1000), ("Per 1000 tokens", 1000),
        ("1M tokens", 1_000_000), ("1000000 Tokens", 1_000_000), ("Million tokens", 1_000_000),
        ("1M Input Tokens", 1_000_000), ("1K Speech Tokens", 1000),
        ("Tokens", 1), ("token", 1),
        ("hour", None), ("0 tokens", None), ("1M TPM Hour", None), ("", None), ("Embeddings", None),
    ],
)  # fmt: skip
def test_pricing_units(unit: str, tokens: int | None) -> None:
    assert tokens_in_unit(unit) == tokens


@pytest.mark.parametrize(
    ("token_type", "rate", "tokens", "is_noted"),
    [
        ("input", "3.3", 1_000_000, False),
        ("input", "0.003", 1000, True),
        ("output", "5.5", 1_000_000, False),
        ("output", "0.075", 1000, True),
        ("cache read", "0.03", 1_000_000, False),
        ("cache read", "0.0003", 1000, True),
        ("cache write 1h", "6", 1_000_000, False),
        ("cache write", "0.00375", 1000, True),
        ("input", "0.04", None, True),  # $0.04 or $40 per million: either may be
        ("input", "0.000000001", None, True),  # no price that is known
        ("input", "0", None, True),
        ("input", "NaN", None, True),
        ("input", "1E+999999", None, True),
        ("speech output", "15", 1_000_000, False),
    ],
)
def test_rate_tells_thousands_from_millions(
    token_type: str, rate: str, tokens: int | None, is_noted: bool
) -> None:
    size, note = tokens_in_marketplace_unit(token_type, "Input Tokens 128K", Decimal(rate))
    assert size == tokens
    assert bool(note) == is_noted


@pytest.mark.parametrize(
    ("texts", "tokens"),
    [
        ("Million Input Tokens Regional", 1_000_000),
        ("Price per 1 million input tokens", 1_000_000),
        ("Input Tokens per 1,000,000", 1_000_000),
        ("USE1-MP:USE1_MillionBatchInputTokens-Units", 1_000_000),
        ("thousand Input Tokens Regional", 1000),
        ("1K Input Tokens", 1000),
    ],
)
def test_texts_settle_the_size_whatever_the_rate(texts: str, tokens: int) -> None:
    for rate in (Decimal("0.003"), Decimal(3), None):
        assert tokens_in_marketplace_unit("input", texts, rate) == (Decimal(tokens), "")


def test_without_text_and_rate_no_size_is_assumed_and_that_is_said() -> None:
    size, note = tokens_in_marketplace_unit("input", "", None)
    assert size is None
    assert note == "The unit names no size, and no price in dollars tells it."
