"""Two-way rounding: its guarantees, over tables of every kind a statement can be."""

import random
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargeback.statement.rounding import round_two_way

Table = list[list[Decimal]]

CENT = Decimal("0.01")
STORE_DECIMALS = 12
STATEMENT_COLUMNS = 7
# Digits of DECIMAL(38,12), the widest amount the store holds.
WIDEST = 10**38 - 1
EXACT = Context(prec=200)


def scaled(units: int, decimals: int = STORE_DECIMALS) -> Decimal:
    return EXACT.scaleb(Decimal(units), -decimals)


def total(values: list[Decimal]) -> Fraction:
    return sum((Fraction(value) for value in values), Fraction())


def columns(table: Table) -> Table:
    return [list(column) for column in zip(*table, strict=True)]


def assert_within_a_cent(rounded: Fraction, exact: Fraction) -> None:
    assert abs(rounded - exact) < Fraction(CENT)
    if (exact / Fraction(CENT)).denominator == 1:
        assert rounded == exact


def half_up(exact: Fraction) -> Decimal:
    """The reference: the standard library's own rounding of the exact sum."""
    digits = EXACT.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    return digits.quantize(CENT, ROUND_HALF_UP, EXACT)


def assert_controlled(table: Table, rounded: Table) -> None:
    assert [len(row) for row in rounded] == [len(row) for row in table]
    for row, rounded_row in zip(table, rounded, strict=True):
        assert_within_a_cent(total(rounded_row), total(row))
        for value, cents in zip(row, rounded_row, strict=True):
            assert_within_a_cent(Fraction(cents), Fraction(value))
            assert cents.as_tuple().exponent == -2
            assert not (cents.is_zero() and cents.is_signed())
    for column, rounded_column in zip(columns(table), columns(rounded), strict=True):
        assert_within_a_cent(total(rounded_column), total(column))
    everything = [value for row in table for value in row]
    grand = total([value for row in rounded for value in row])
    assert grand == Fraction(half_up(total(everything)))


def tables(
    cells: st.SearchStrategy[Decimal], rows: int = 12, width: int = 8
) -> st.SearchStrategy[Table]:
    return st.integers(1, width).flatmap(
        lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), max_size=rows)
    )


any_amount = st.integers(-(10**16), 10**16).map(scaled)
wide_amount = st.integers(-WIDEST, WIDEST).map(scaled)
zero_or_amount = st.one_of(st.just(Decimal()), any_amount)
half_cent = st.integers(-99, 99).map(lambda odd: scaled(10 * odd + 5, 3))
cents = st.integers(-(10**12), 10**12).map(lambda units: scaled(units, 2))
mixed_decimals = st.builds(scaled, st.integers(-(10**6), 10**6), st.integers(0, STORE_DECIMALS))


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        tables(any_amount),
        tables(zero_or_amount),
        tables(half_cent),
        tables(mixed_decimals),
        tables(wide_amount),
        tables(any_amount, rows=40, width=1),
        tables(half_cent, rows=1, width=20),
    )
)
def test_every_total_is_within_a_cent_and_the_grand_total_is_half_up(table: Table) -> None:
    assert_controlled(table, round_two_way(table))


@settings(max_examples=50, deadline=None)
@given(tables(cents))
def test_a_table_in_cents_stays_as_it_is(table: Table) -> None:
    assert round_two_way(table) == table


@settings(max_examples=50, deadline=None)
@given(tables(zero_or_amount))
def test_rounding_again_changes_nothing(table: Table) -> None:
    once = round_two_way(table)
    assert repr(round_two_way(once)) == repr(once)


@settings(max_examples=50, deadline=None)
@given(tables(any_amount))
def test_the_same_table_gives_the_same_digits_and_is_not_changed(table: Table) -> None:
    before = repr(table)
    assert repr(round_two_way(table)) == repr(round_two_way([list(row) for row in table]))
    assert repr(table) == before


@settings(max_examples=50, deadline=None)
@given(tables(any_amount), st.integers(0, 6))
def test_places_sets_the_grid(table: Table, places: int) -> None:
    step = Fraction(1, 10**places)
    for row, rounded in zip(table, round_two_way(table, places), strict=True):
        assert abs(total(rounded) - total(row)) < step
        assert all(value.as_tuple().exponent == -places for value in rounded)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("0.005", "0.01"),
        ("-0.005", "-0.01"),
        ("0.004999999999", "0.00"),
        ("-0.004999999999", "0.00"),
        ("-0.015", "-0.02"),
        ("1E+3", "1000.00"),
        ("-0", "0.00"),
        ("99999999999999999999999999.995", "100000000000000000000000000.00"),
    ],
)
def test_one_cell_is_its_own_grand_total(amount: str, expected: str) -> None:
    assert str(round_two_way([[Decimal(amount)]])[0][0]) == expected


def test_naive_rounding_would_miss_what_this_meets() -> None:
    third = Decimal("0.333333333333")
    table = [[third] * 3 for _ in range(3)]
    rounded = round_two_way(table)
    assert sum(map(sum, rounded)) == Decimal("3.00")
    assert [sum(row) for row in rounded] != [Decimal("0.99")] * 3
    assert_controlled(table, rounded)


def test_tenants_without_tax_or_credit_get_none() -> None:
    tax, credit, none = Decimal("0.123456789012"), Decimal("-4.005"), Decimal()
    table = [[Decimal("10.005"), none, tax], [Decimal("7.777"), credit, none]] * 50
    for row, rounded in zip(table, round_two_way(table), strict=True):
        assert [value == 0 for value in rounded] == [value == 0 for value in row]


def test_a_table_without_rows_or_columns() -> None:
    assert round_two_way([]) == []
    assert round_two_way([[], []]) == [[], []]


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_an_amount_that_is_not_finite_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="not a finite amount"):
        round_two_way([[Decimal(amount)]])


def test_ragged_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        round_two_way([[CENT, CENT], [CENT]])


def test_a_large_statement_adds_up() -> None:
    draw = random.Random(1987)  # noqa: S311 - a fixed sequence of test amounts, no secret
    rows = 2_000
    table = [
        [scaled(draw.randrange(-(10**14), 10**15)) for _ in range(STATEMENT_COLUMNS)]
        for _ in range(rows)
    ]
    assert_controlled(table, round_two_way(table))


def test_most_cells_are_rounded_to_the_nearer_cent() -> None:
    draw = random.Random(1987)  # noqa: S311 - a fixed sequence of test amounts, no secret
    table = [[scaled(draw.randrange(10**15)) for _ in range(STATEMENT_COLUMNS)] for _ in range(200)]
    pairs = [
        (value, cents)
        for row, rounded in zip(table, round_two_way(table), strict=True)
        for value, cents in zip(row, rounded, strict=True)
    ]
    nearer = sum(abs(cents - value) <= CENT / 2 for value, cents in pairs)
    # Unbiased random rounding takes the nearer cent with chance max(f, 1 - f): 3 in 4 on average.
    assert nearer / len(pairs) > 3 / 4
