"""Numbers, dates and names as they are written on the screen."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback import formats

CENT = Decimal("0.01")
AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=12)


@pytest.mark.parametrize(
    ("value", "currency", "written"),
    [
        ("184206.105", "USD", "$184,206.11"),
        ("-1804", "USD", "-$1,804.00"),
        ("1234", "CHF", "CHF 1,234.00"),
        ("-5", "CHF", "-CHF 5.00"),
        ("8.5", "EUR", "€8.50"),
        ("8.5", "CNY", "CN¥8.50"),
        ("-0.004", "USD", "$0.00"),
        ("0.005", "USD", "$0.01"),
    ],
)
def test_money(value: str, currency: str, written: str) -> None:
    assert formats.money(Decimal(value), currency) == written


def test_money_that_does_not_apply() -> None:
    assert formats.money(None, "USD") == formats.signed_money(None, "USD") == "–"


@given(AMOUNTS)
def test_money_reads_back_as_the_amount_in_cents(value: Decimal) -> None:
    written = formats.money(value, "USD")
    assert Decimal(re.sub(r"[$,]", "", written)) == value.quantize(CENT, ROUND_HALF_UP)


@given(AMOUNTS)
def test_a_change_in_money_shows_its_direction(value: Decimal) -> None:
    written, cents = formats.signed_money(value, "USD"), value.quantize(CENT, ROUND_HALF_UP)
    assert written[0] == ("+" if cents > 0 else "-" if cents < 0 else "$")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("0", "$0"),
        ("990.4", "$990"),
        ("999.5", "$1k"),
        ("4000", "$4k"),
        ("7901.23", "$7.9k"),
        ("-1600", "-$1.6k"),
        ("184206.11", "$184k"),
        ("999950", "$1M"),
        ("1240000", "$1.2M"),
        ("3000000000", "$3B"),
        ("-0.2", "$0"),
    ],
)
def test_compact_money(value: str, written: str) -> None:
    amount = Decimal(value)
    assert formats.compact_money(amount, "USD") == written
    sign = "+" if amount > 0 else ""
    assert formats.signed_compact_money(amount, "USD") == f"{sign}{written}"


@pytest.mark.parametrize(
    ("ratio", "plain", "signed"),
    [
        ("0.2514", "25.1 %", "+25.1 %"),
        ("-0.061", "-6.1 %", "-6.1 %"),
        ("-0.0004", "0.0 %", "0.0 %"),
        ("12.5", "1,250.0 %", "+1,250.0 %"),
        (None, "–", "–"),
    ],
)
def test_percent(ratio: str | None, plain: str, signed: str) -> None:
    value = None if ratio is None else Decimal(ratio)
    assert (formats.percent(value), formats.signed_percent(value)) == (plain, signed)


@pytest.mark.parametrize(
    ("change", "written"),
    [
        ("0.0271", "+2.7 points"),
        ("-0.1", "-10.0 points"),
        ("0.0004", "0.0 points"),
        ("-0.0004", "0.0 points"),
    ],
)
def test_points(change: str, written: str) -> None:
    assert formats.signed_points(Decimal(change)) == written


def test_change() -> None:
    assert formats.change_percent(Decimal(110), Decimal(100)) == Decimal("0.1")
    assert formats.change_percent(Decimal(0), Decimal(100)) == -1


@pytest.mark.parametrize("before", [None, Decimal(0), Decimal(-5)])
def test_a_change_from_nothing_or_from_a_credit_is_no_percentage(before: Decimal | None) -> None:
    assert formats.change_percent(Decimal(10), before) is None


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1_240_000_000, "1.24 B"),
        (310_500_000, "310.5 M"),
        (Decimal("12300"), "12.3 K"),
        (950, "950"),
        (999_999, "1.00 M"),
        (2_500_000_000_000, "2.50 T"),
        (0, "–"),
        (None, "–"),
    ],
)
def test_tokens(value: Decimal | int | None, written: str) -> None:
    assert formats.tokens(value) == written


def test_count() -> None:
    assert formats.count(1, "tenant") == "1 tenant"
    assert formats.count(0, "tenant") == "0 tenants"
    assert formats.count(1204, "tenant") == "1,204 tenants"


def test_dates() -> None:
    assert formats.month_name("2026-10") == "October 2026"
    assert formats.short_month("2026-01") == "January"
    assert formats.day_name(date(2026, 10, 4)) == "4 Oct"
    assert formats.long_day_name(date(2026, 10, 4)) == "4 October"
    assert formats.date_name(date(2026, 10, 4)) == "4 October 2026"


def test_times_are_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    written = "8 November 2026, 06:12 UTC"
    assert formats.moment(datetime(2026, 11, 8, 15, 12, tzinfo=tokyo)) == written
    assert formats.moment(datetime(2026, 11, 8, 6, 12, tzinfo=UTC)) == written
    assert formats.moment(datetime(2026, 11, 8, 6, 12)) == written


def test_what_is_cut_says_so() -> None:
    assert formats.cut("acme-corp", 9) == "acme-corp"
    assert formats.cut("acme-corp", 8) == "acme-co…"
