"""What is posted of a closed month whose charges have changed: to whom, and how it is rounded."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chargeback.money import CENT, cents, exact_sum, in_cents
from chargeback.statement.adjustments import Posted, Unit, corrections

AMOUNTS = st.decimals(min_value=-50, max_value=50, places=5)
CHARGES = st.dictionaries(
    st.tuples(st.sampled_from(["EUR", "USD"]), st.sampled_from("abcdefgh")), AMOUNTS
)
MOST = CENT * 2


def posted_at(exact: dict[Unit, Decimal]) -> dict[Unit, Posted]:
    """What a close posts: cents that come to the bill, each within one of its exact charge."""
    found = {}
    for currency in {currency for currency, _ in exact}:
        units = sorted(unit for unit in exact if unit[0] == currency)
        amounts = [exact[unit] for unit in units]
        for unit, amount in zip(units, in_cents(amounts, cents(exact_sum(amounts))), strict=True):
            found[unit] = Posted(amount, exact[unit], f"BC-{unit[1]}")
    return found


def after(
    posted: dict[Unit, Posted], due: dict[Unit, Decimal], now: dict[Unit, Decimal]
) -> dict[Unit, Posted]:
    """What was posted once the corrections are."""
    none = Posted(Decimal(), Decimal(), "")
    found = dict(posted)
    for unit, amount in due.items():
        before = found.get(unit, none)
        exact = now.get(unit, Decimal())
        found[unit] = Posted(before.amount + amount, exact, before.document_id)
    return found


@given(CHARGES, st.lists(CHARGES, min_size=1, max_size=4))
def test_postings_come_to_the_corrected_bill_over_any_sequence_of_restatements(
    closed: dict[Unit, Decimal], then: list[dict[Unit, Decimal]]
) -> None:
    posted = posted_at(closed)
    for now in then:
        due = corrections(posted, now)
        changed = {
            unit
            for unit in {*posted, *now}
            if now.get(unit, Decimal()) != (posted[unit].exact if unit in posted else 0)
        }
        assert set(due) == changed
        posted = after(posted, due, now)
        for currency in {currency for currency, _ in due}:
            whole = exact_sum(each for (of, _), each in now.items() if of == currency)
            mine = [each.amount for (of, _), each in posted.items() if of == currency]
            assert exact_sum(mine) == cents(whole)
        assert not corrections(posted, now)


@given(CHARGES, CHARGES)
def test_each_posting_is_within_two_cents_of_what_is_charged(
    closed: dict[Unit, Decimal], now: dict[Unit, Decimal]
) -> None:
    posted = posted_at(closed)
    found = after(posted, corrections(posted, now), now)
    for unit, each in found.items():
        assert abs(each.amount - now.get(unit, Decimal())) < MOST


def test_a_neighbour_whose_charge_is_the_same_keeps_its_cents() -> None:
    # Three thirds of a cent each: one of the three was rounded up.
    third = Decimal("0.003333")
    posted = posted_at(dict.fromkeys([("USD", "a"), ("USD", "b"), ("USD", "c")], third))
    due = corrections(
        posted, {("USD", "a"): third, ("USD", "b"): third, ("USD", "c"): Decimal("5")}
    )
    assert set(due) == {("USD", "c")}
    assert posted["USD", "a"].amount + posted["USD", "b"].amount + posted["USD", "c"].amount + due[
        "USD", "c"
    ] == cents(Decimal("5") + 2 * third)
