"""Shares of single charges: exact, whatever the lines and whatever moves them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chargeback.dimensions import UNALLOCATED
from chargeback.money import exact_sum
from chargeback.statement.allocation import (
    Allocation,
    allocate,
    allocated_parts,
    columns_asked,
)
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.focus.splitting import Share, Splitting
from tests.bills import MONTH

SETTINGS = AllocationSettings.model_validate(
    {
        "discount": "usage",
        "tax": "usage",
        "credit": "usage",
        "rules": [
            {
                "id": "taxes",
                "for": ["tenant"],
                "take": {"line_type": "Tax"},
                "by": "even",
                "to": ["x", "y"],
            },
            {"id": "rest", "take": {}, "by": "direct cost"},
            {
                "id": "a",
                "for": ["tenant"],
                "take": {"unit": "a"},
                "by": "fixed",
                "shares": {"z": 1, "w": 2},
            },
        ],
    }
)
TYPES = {"usage": "Usage", "discount": "EdpDiscount", "tax": "Tax", "credit": "Credit"}
AMOUNTS = st.decimals(-9999, 9999, places=12)

rows = st.builds(
    lambda unit, category, cost, off, tokens: {
        "currency": "USD",
        "unit": unit,
        "tenant": unit,
        "charge_category": category,
        "line_item_type": TYPES[category],
        "payer_account_id": "1",
        "legal_entity": "AWS",
        "product_code": "AmazonBedrock",
        "usage_account_id": "2",
        "usage_type": "input",
        "region": "us-east-1",
        "iam_principal": "",
        "unblended_cost": cost,
        # Of a payer whose net costs count, what discounts took off.
        "cost": exact_sum((cost, off)),
        "usage_amount": tokens,
        "tokens": None,
    },
    st.sampled_from(["a", "b", "c", UNALLOCATED]),
    st.sampled_from([*TYPES, "usage"]),
    AMOUNTS,
    st.just(Decimal()) | AMOUNTS,
    st.decimals(0, 9999, places=6),
)


def by_month(charges: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The charges as allocation_lines.sql sums them."""
    amounts = ("unblended_cost", "cost", "usage_amount", "tokens")
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for charge in charges:
        found[tuple(charge[name] for name in charge if name not in amounts)].append(charge)
    for same in found.values():
        summed = {name: exact_sum(row[name] for row in same) for name in amounts[:2]}
        yield {**same[0], **summed, "tokens": Decimal()}


def split(charges: list[dict[str, Any]]) -> tuple[Allocation, list[list[Share]]]:
    asked = list(by_month(charges)), SETTINGS, "tenant", MONTH
    splitting = Splitting(allocated_parts(*asked), columns_asked(SETTINGS, "tenant", MONTH))
    return allocate(*asked), [splitting.shares(charge) for charge in charges]


@given(st.lists(rows, max_size=30))
def test_shares_add_up_to_each_charge_and_to_all_that_moved(charges: list[dict[str, Any]]) -> None:
    moved, found = split(charges)
    billed: dict[str, Decimal] = defaultdict(Decimal)
    charged: dict[str, Decimal] = defaultdict(Decimal)
    for charge, shares in zip(charges, found, strict=True):
        assert exact_sum(share.amounts["cost"] for share in shares) == charge["cost"]
        used = [share.amounts["usage_amount"] for share in shares]
        assert exact_sum(used) == charge["usage_amount"]
        assert exact_sum(share.ratio for share in shares) == 1
        billed[charge["unit"]] = exact_sum((billed[charge["unit"]], charge["cost"]))
        for share in shares:
            charged[share.unit] = exact_sum((charged[share.unit], share.amounts["cost"]))
    for (_, unit), changes in moved.changes().items():
        billed[unit] = exact_sum((billed[unit], *changes.values()))
    assert charged == {unit: billed[unit] for unit in charged}
    assert not any(total for unit, total in billed.items() if unit not in charged)


@given(st.lists(rows, min_size=1, max_size=30))
def test_a_share_is_its_ratio_of_the_charge_but_for_the_last_digits(
    charges: list[dict[str, Any]],
) -> None:
    _, found = split(charges)
    # Of each of at most two steps, two roundings of each of at most eight receivers, and a ratio
    # of twelve digits of a charge below 20,000.
    close = Decimal("1E-7")
    for charge, shares in zip(charges, found, strict=True):
        for share in shares:
            assert abs(share.amounts["cost"] - charge["cost"] * share.ratio) < close
