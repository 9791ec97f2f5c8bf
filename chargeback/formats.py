"""How numbers, dates and names are written for people, on the screen and in documents.

Absence is written "–": a figure that does not apply is neither 0 nor empty.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

ABSENT: Final = "–"

SYMBOLS: Final = {
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
    "CNY": "CN¥",
    "INR": "₹",
    "BRL": "R$",
    "AUD": "A$",
    "CAD": "CA$",
}
"""Currencies with a symbol, as Unicode CLDR has them for English; others keep their code."""

MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
"""English whatever the machine's locale, as all other words on the page."""

_CENT = Decimal("0.01")
_TENTH = Decimal("0.1")
_UNIT = Decimal(1)
_THOUSAND = Decimal(1000)


def symbol(currency: str) -> str:
    """What stands before an amount: '$', or the code and a space."""
    return SYMBOLS.get(currency, f"{currency} ")


def money(value: Decimal | None, currency: str) -> str:
    """An amount with two decimals: '$184,206.11', '-$1,804.00', 'CHF 1,234.00'."""
    if value is None:
        return ABSENT
    cents = _rounded(value, _CENT)
    return f"{'-' if cents < 0 else ''}{symbol(currency)}{abs(cents):,}"


def signed_money(value: Decimal | None, currency: str) -> str:
    """A change in money, its direction always written: '+$9,120.40'."""
    text = money(value, currency)
    return f"+{text}" if value is not None and _rounded(value, _CENT) > 0 else text


def exact_money(value: Decimal, currency: str, decimals: int = 2) -> str:
    """An amount with all its decimals, `decimals` and two at least: '$0.0000123'."""
    sign = "-" if value < 0 else ""
    return f"{sign}{symbol(currency)}{digits(abs(value), max(decimals, 2))}"


def digits(value: Decimal, decimals: int = 0) -> str:
    """A number with all its decimals, `decimals` at least: '1,204.5'."""
    return f"{value:,.{max(decimals, decimals_of(value))}f}"


def decimals_of(value: Decimal) -> int:
    """How many decimals a number has, zeros at its end left out."""
    exponent = value.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def compact_money(value: Decimal, currency: str) -> str:
    """An amount for prose and axes: '$7.9k', '$184k', '$1.2M'; whole units below a thousand."""
    size, letter = abs(value), ""
    for larger in ("k", "M", "B"):
        if _rounded(size, _UNIT) < _THOUSAND:
            break
        size, letter = size / _THOUSAND, larger
    digits = _rounded(size, _TENTH if letter and size < 100 else _UNIT)
    number = f"{digits:,f}".removesuffix(".0")
    return f"{'-' if value < 0 and digits else ''}{symbol(currency)}{number}{letter}"


def signed_compact_money(value: Decimal, currency: str) -> str:
    """A change in money for prose, its direction always written: '+$2.2k'."""
    return f"{'+' if value > 0 else ''}{compact_money(value, currency)}"


def percent(ratio: Decimal | None) -> str:
    """A ratio with one decimal: Decimal('0.251') is '25.1 %'."""
    return ABSENT if ratio is None else f"{_rounded(ratio * 100, _TENTH):,} %"


def signed_percent(ratio: Decimal | None) -> str:
    """A change as a ratio, its direction always written: '+8.2 %'."""
    text = percent(ratio)
    return f"+{text}" if ratio is not None and _rounded(ratio * 100, _TENTH) > 0 else text


def signed_points(change: Decimal) -> str:
    """A change from one percentage to another: '+2.7 points'."""
    points = _rounded(change * 100, _TENTH)
    return f"{'+' if points > 0 else ''}{points} points"


def change_percent(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    """The change as a ratio of what was before: 110 after 100 is Decimal('0.1').

    None where a percentage says nothing: one of the two is not known, or nothing or a credit was
    there before.
    """
    if now is None or before is None or before <= 0:
        return None
    return (now - before) / before


def tokens(value: Decimal | int | None) -> str:
    """A number of tokens: '1.24 B', '310.5 M', '12.3 K', '950'; '–' for none."""
    if not value:
        return ABSENT
    size, letter = Decimal(value), ""
    for larger in ("K", "M", "B", "T"):
        if _rounded(abs(size), _UNIT) < _THOUSAND:
            break
        size, letter = size / _THOUSAND, larger
    if not letter:
        return f"{_rounded(size, _UNIT)}"
    return f"{_rounded(size, _CENT if abs(size) < 10 else _TENTH):,} {letter}"


def count(number: int, noun: str) -> str:
    """A number of things: '1 tenant', '1,204 tenants'."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def cut(text: str, longest: int) -> str:
    """Text of at most so many characters, its last an ellipsis where some are left out."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def month_name(month: str) -> str:
    """A billing period: '2026-10' is 'October 2026'."""
    return f"{short_month(month)} {month[:4]}"


def short_month(month: str) -> str:
    """A billing period without its year: '2026-10' is 'October'."""
    return MONTHS[int(month[5:7]) - 1]


def day_name(day: date) -> str:
    """A day of a month whose year is clear: '4 Oct'."""
    return f"{day.day} {MONTHS[day.month - 1][:3]}"


def long_day_name(day: date) -> str:
    """A day within a year: '4 October'."""
    return f"{day.day} {MONTHS[day.month - 1]}"


def date_name(day: date) -> str:
    """A date: '4 October 2026'."""
    return f"{long_day_name(day)} {day.year}"


def moment(at: datetime) -> str:
    """A time in UTC: '8 November 2026, 06:12 UTC'. A time without a zone is taken as UTC."""
    utc = at.astimezone(UTC) if at.tzinfo else at
    return f"{date_name(utc)}, {utc:%H:%M} UTC"


def _rounded(value: Decimal, step: Decimal) -> Decimal:
    """Half up, away from zero, as invoices round; never a negative zero."""
    return value.quantize(step, rounding=ROUND_HALF_UP) + 0
