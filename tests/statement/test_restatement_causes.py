"""Each difference between a closed month and the bill as it is now has its cause."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from chargeback.dimensions import UNALLOCATED
from tests.bills import Line, line
from tests.statement.restated import ACME, CLOSED, GLOBEX, Told, restated, told


def without(lines: Sequence[Line], *names: str) -> list[Line]:
    return [{name: value for name, value in each.items() if name not in names} for each in lines]


NET = {"net": "9.00"}
BY_CAUSE: dict[str, tuple[list[Line], list[Line], Told]] = {
    "late usage, of a new line": (
        CLOSED,
        [*CLOSED, line("2.00", tenant="globex", day=31)],
        {"globex": {"late usage": ("0.00", "2.00")}},
    ),
    "late usage, more on a line that was there": (
        CLOSED,
        [line("12.00", tenant="acme", line_item_usage_amount=1.2), *CLOSED[1:]],
        {"acme": {"late usage": ("10.00", "12.00")}},
    ),
    "usage that is gone": (
        CLOSED,
        [ACME, CLOSED[2]],
        {"globex": {"late usage": ("5.00", "0.00")}},
    ),
    "a rate": (
        CLOSED,
        [line("8.00", tenant="acme"), *CLOSED[1:]],
        {"acme": {"rate": ("10.00", "8.00")}},
    ),
    "a late credit": (
        CLOSED,
        [*CLOSED, line("-3.00", "Credit", tenant="acme")],
        {"acme": {"credit": ("0.00", "-3.00")}},
    ),
    "a refund": (
        CLOSED,
        [*CLOSED, line("-0.25", "Refund", tenant="globex")],
        {"globex": {"refund": ("0.00", "-0.25")}},
    ),
    "a tax": (
        CLOSED,
        [ACME, GLOBEX, line("1.75", "Tax")],
        {UNALLOCATED: {"tax": ("1.50", "1.75")}},
    ),
    "a discount in a line of its own": (
        CLOSED,
        [*CLOSED, line("-1.00", "EdpDiscount", tenant="acme")],
        {"acme": {"discount": ("0.00", "-1.00")}},
    ),
    "a discount in the net cost": (
        CLOSED,
        [line("10.00", tenant="acme", **NET), *CLOSED[1:]],
        {"acme": {"discount": ("10.00", "9.00")}},
    ),
    "a fee": (
        CLOSED,
        [*CLOSED, line("4.00", "Fee")],
        {UNALLOCATED: {"other": ("0.00", "4.00")}},
    ),
    "who pays": (
        CLOSED,
        [line("10.00", tenant="initech"), *CLOSED[1:]],
        {
            "acme": {"attribution": ("10.00", "0.00")},
            "initech": {"attribution": ("0.00", "10.00")},
        },
    ),
    "who pays, and the rate: first the one at the old cost, then the other": (
        CLOSED,
        [line("8.00", tenant="initech"), *CLOSED[1:]],
        {
            "acme": {"attribution": ("10.00", "0.00")},
            "initech": {"rate": ("0.00", "-2.00"), "attribution": ("0.00", "10.00")},
        },
    ),
    "who pays for a part of a day, and more usage": (
        CLOSED,
        [
            line("4.00", tenant="acme", line_item_usage_amount=0.4),
            line("7.00", tenant="initech", line_item_usage_amount=0.7),
            *CLOSED[1:],
        ],
        {
            "acme": {"attribution": ("10.00", "4.00")},
            "initech": {"late usage": ("0.00", "1.00"), "attribution": ("0.00", "6.00")},
        },
    ),
    "one who takes a day over from two, and less usage": (
        [line("10.00", tenant="acme"), line("5.00", tenant="globex")],
        [line("12.00", tenant="initech", line_item_usage_amount=1.6)],
        {
            "acme": {"attribution": ("10.00", "0.00")},
            "globex": {"attribution": ("5.00", "0.00")},
            "initech": {"late usage": ("0.00", "-3.00"), "attribution": ("0.00", "15.00")},
        },
    ),
    "two who take a day over, at another rate: the old cost is shared as the new one": (
        CLOSED,
        [
            line("6.00", tenant="initech", line_item_usage_amount=0.5),
            line("2.00", tenant="umbrella", line_item_usage_amount=0.5),
            *CLOSED[1:],
        ],
        {
            "acme": {"attribution": ("10.00", "0.00")},
            "initech": {"rate": ("0.00", "-1.50"), "attribution": ("0.00", "7.50")},
            "umbrella": {"rate": ("0.00", "-0.50"), "attribution": ("0.00", "2.50")},
        },
    ),
    "more usage by one of a day's payers": (
        [*CLOSED, line("3.00", tenant="initech")],
        [*CLOSED, line("3.50", tenant="initech", line_item_usage_amount=1.5)],
        {"initech": {"late usage": ("3.00", "3.50")}},
    ),
    "callers that AWS fills in later": (
        without(CLOSED, "line_item_iam_principal"),
        [line("10.00", tenant="initech"), *without(CLOSED[1:], "line_item_iam_principal")],
        {
            "acme": {"attribution": ("10.00", "0.00")},
            "initech": {"attribution": ("0.00", "10.00")},
        },
    ),
    "invoices and names that AWS fills in later": (
        [{**each, "bill_invoice_id": None} for each in CLOSED],
        [{**each, "line_item_usage_account_name": "renamed"} for each in CLOSED],
        {},
    ),
    "a line that is told in two": (
        CLOSED,
        [
            *[line("5.00", tenant="acme", line_item_usage_amount=0.5)] * 2,
            *CLOSED[1:],
        ],
        {},
    ),
}


@pytest.mark.parametrize("name", BY_CAUSE)
def test_a_difference_has_its_cause(name: str, tmp_path: Path) -> None:
    closed, now, expected = BY_CAUSE[name]
    assert told(restated(tmp_path, closed, now)) == expected
