"""A closed month beside the bill as it is now: each difference has its cause, and all add up."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargeback.dimensions import CHARGED, UNALLOCATED
from chargeback.errors import UsageProblem
from chargeback.money import exact_sum
from chargeback.reports.answers import Answers
from chargeback.reports.charges import charges_by_unit
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import DIRECT, build_statement
from chargeback.statement.restated_lines import UNCHANGED, payers_first
from chargeback.statement.restatement import (
    COLUMNS,
    Restatement,
    restate,
    restated_file_name,
    write_restatement,
)
from tests.bills import MONTH, Line, line, whole
from tests.statement.test_allocation import A_LINE, GATEWAY, SETTINGS, rules
from tests.statement.units import BEFORE, TODAY, answers_on, in_month

ACME = line("10.00", tenant="acme")
GLOBEX = line("5.00", tenant="globex", day=4)
CLOSED = [ACME, GLOBEX, line("1.50", "Tax")]
"""Acme 10.00, globex 5.00, and a tax that nobody's tags name."""
Told = dict[str, dict[str, tuple[str, str]]]
"""By unit and cause: the closed and the current amount."""


def restated(
    folder: Path,
    closed: Sequence[Line],
    now: Sequence[Line],
    asked: AllocationSettings = DIRECT,
    by: str = "tenant",
) -> Restatement:
    """The two bills compared; it is seen to add up to both statements."""
    before = answers_on(folder / "closed", {MONTH: closed})
    after = answers_on(folder / "now", {MONTH: now})
    found = restate(before, after, whole(MONTH), by, asked)
    assert_adds_up(found, before, after, asked)
    return found


def assert_adds_up(
    found: Restatement, closed: Answers, now: Answers, asked: AllocationSettings
) -> None:
    """Per unit and in total to both statements, exact; attribution to zero."""
    for side, answers in enumerate((closed, now)):
        told: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for each in found.charges:
            amount = (each.closed_amount, each.current_amount)[side]
            told[each.currency, each.bill_to] = exact_sum(
                (told[each.currency, each.bill_to], amount)
            )
        statement = build_statement(answers, whole(MONTH), found.bill_to_type, TODAY, asked)
        expected = charges_of(answers, found.bill_to_type, statement.allocation.changes())
        assert {unit: amount for unit, amount in told.items() if amount} == {
            unit: amount for unit, amount in expected.items() if amount
        }
        for currency, bill in statement.bill.items():
            mine = (amount for (its, _), amount in told.items() if its == currency)
            assert exact_sum(mine) == bill
    for currency in {currency for currency, _ in found.differences}:
        moved = (a for (its, _), a in found.attribution.items() if its == currency)
        assert exact_sum(moved) == 0
    for each in found.charges:
        assert (each.cause == UNCHANGED) == (each.difference == 0)
        assert each.closed_amount + each.difference == each.current_amount
    by_unit: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for each in found.charges:
        by_unit[each.currency, each.bill_to].append(each.difference)
    assert {unit: exact_sum(parts) for unit, parts in by_unit.items()} == found.differences
    unchanged = [(e.currency, e.bill_to) for e in found.charges if e.cause == UNCHANGED]
    assert unchanged == list(found.differences)


def charges_of(
    answers: Answers, by: str, moved: dict[tuple[str, str], dict[str, Decimal]]
) -> dict[tuple[str, str], Decimal]:
    """What a statement charges before it is rounded."""
    direct = charges_by_unit(answers, whole(MONTH), CHARGED[by].name).to_pylist()
    found = {(row["currency"], row["unit"]): row["total_charge"] for row in direct}
    for unit, columns in moved.items():
        found[unit] = exact_sum((found.get(unit, Decimal()), *columns.values()))
    return found


def told(found: Restatement, currency: str = "USD") -> Told:
    """What changed, in cents: `unchanged` is left out."""
    by_unit: Told = defaultdict(dict)
    for each in found.charges:
        if each.currency == currency and each.cause != UNCHANGED:
            amounts = f"{each.closed_amount:.2f}", f"{each.current_amount:.2f}"
            by_unit[each.bill_to][each.cause] = amounts
    return dict(by_unit)


def without(lines: Sequence[Line], *names: str) -> list[Line]:
    return [{name: value for name, value in each.items() if name not in names} for each in lines]


# One cause at a time.

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


def test_all_causes_together_are_those_one_by_one(tmp_path: Path) -> None:
    late = line("2.00", tenant="globex", day=31)
    credit = line("-3.00", "Credit", tenant="acme")
    now = [line("8.00", tenant="acme"), GLOBEX, line("1.75", "Tax"), late, credit]
    found = restated(tmp_path, CLOSED, now)
    assert told(found) == {
        "acme": {"credit": ("0.00", "-3.00"), "rate": ("10.00", "8.00")},
        "globex": {"late usage": ("0.00", "2.00")},
        UNALLOCATED: {"tax": ("1.50", "1.75")},
    }
    assert [each.bill_to for each in found.charges][-1] == UNALLOCATED
    assert found.totals() == {
        ("USD", "credit"): -3,
        ("USD", "rate"): -2,
        ("USD", "late usage"): 2,
        ("USD", "tax"): Decimal("0.25"),
        ("USD", "unchanged"): 0,
    }


def test_a_backfilled_tag_moves_dollars_and_changes_no_total(tmp_path: Path) -> None:
    closed = [line(f"{day}.25", day=day) for day in range(1, 11)]
    now = [line(f"{day}.25", day=day, tenant="acme") for day in range(1, 11)]
    found = restated(tmp_path, closed, now)
    # 1.25 to 10.25, ten of them: 57.50.
    assert told(found) == {
        "acme": {"attribution": ("0.00", "57.50")},
        UNALLOCATED: {"attribution": ("57.50", "0.00")},
    }
    assert found.attribution == found.differences
    assert found.totals()["USD", "attribution"] == 0


def test_a_tag_of_another_dimension_changes_nothing_unless_a_rule_reads_it(tmp_path: Path) -> None:
    closed = [ACME, line("4.00", team="one")]
    now = [ACME, line("4.00", team="two")]
    assert told(restated(tmp_path / "direct", closed, now)) == {}
    take = {"id": "two", "for": ["tenant"], "take": {"team": "two"}, "by": "even"}
    found = restated(tmp_path / "rule", closed, now, rules(take))
    assert told(found) == {
        "acme": {"attribution": ("0.00", "4.00")},
        UNALLOCATED: {"attribution": ("4.00", "0.00")},
    }


def test_each_currency_has_its_own_rows(tmp_path: Path) -> None:
    euros = line("7.00", tenant="acme", currency="EUR")
    found = restated(tmp_path, CLOSED, [*CLOSED, euros])
    assert told(found) == {}
    assert told(found, "EUR") == {"acme": {"late usage": ("0.00", "7.00")}}
    assert found.differences["EUR", UNALLOCATED] == 0


# What follows usage, and rules.


def test_a_tax_follows_usage_to_whom_the_usage_moved(tmp_path: Path) -> None:
    seller: dict[str, Any] = {
        "product_code": "1a2b3c",
        "line_item_legal_entity": "Anthropic, PBC",
        "bill_billing_entity": "AWS Marketplace",
        "product": {"product_name": "Claude Opus 5.5 (Amazon Bedrock Edition)"},
        "product_servicecode": None,
    }
    closed = [
        line("60.00", tenant="acme", **seller),
        line("40.00", tenant="globex", day=4, **seller),
        line("10.00", "Tax", **seller),
    ]
    moved = line("40.00", tenant="acme", day=4, **seller)
    now = [closed[0], moved, line("12.00", "Tax", **seller)]
    # The tax of 10.00 was shared 60 to 40; it goes with the usage, and its rise of 2.00 as well.
    assert told(restated(tmp_path, closed, now, rules(tax="usage"))) == {
        "acme": {"tax": ("0.00", "2.00"), "attribution": ("0.00", "44.00")},
        "globex": {"attribution": ("40.00", "-4.00")},
    }


def test_late_usage_of_one_changes_what_others_bear_of_a_pool(tmp_path: Path) -> None:
    pool = line("30.00", principal=GATEWAY, day=6)
    asked = rules({"id": "g", "for": ["tenant"], "take": {}, "by": "direct cost"})
    closed = [ACME, line("10.00", tenant="globex", day=4), pool]
    now = [*closed, line("10.00", tenant="globex", day=31)]
    # Of 30.00 both bore 15.00; by 10 to 20 it is 10.00 and 20.00.
    assert told(restated(tmp_path, closed, now, asked)) == {
        "acme": {"late usage": ("0.00", "-5.00")},
        "globex": {"late usage": ("0.00", "15.00")},
    }


def test_who_is_charged_on_neither_side_is_told_what_passed_by(tmp_path: Path) -> None:
    asked = rules({"id": "n", "for": ["tenant"], "take": {}, "by": "even", "to": ["newcomer"]})
    closed = [ACME, line("5.00", day=6), line("-5.00", "Credit")]
    # The pool was 5.00 less 5.00; without the usage it is -5.00, without both nothing again.
    found = restated(tmp_path, closed, [ACME], asked)
    assert told(found) == {
        "newcomer": {"late usage": ("0.00", "-5.00"), "credit": ("0.00", "5.00")}
    }
    assert found.totals()["USD", "late usage"] == -5


# The file.


def test_the_file_has_every_decimal_and_hostile_names_stay_text(tmp_path: Path) -> None:
    late = line("0.000000123", tenant="=1+2", day=31)
    found = restated(tmp_path, CLOSED, [*CLOSED, late])
    out = io.BytesIO()
    digest = write_restatement(found, out)
    header, *rows = csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig")))
    assert tuple(header) == COLUMNS
    assert digest.rows == len(rows)
    assert [row[2:] for row in rows] == [
        ["'=1+2", "USD", "late usage", "0.00", "0.000000123", "0.000000123"],
        ["'=1+2", "USD", "unchanged", "0.00", "0.00", "0.00"],
        ["acme", "USD", "unchanged", "10.00", "10.00", "0.00"],
        ["globex", "USD", "unchanged", "5.00", "5.00", "0.00"],
        [UNALLOCATED, "USD", "unchanged", "1.50", "1.50", "0.00"],
    ]
    assert {tuple(row[:2]) for row in rows} == {(MONTH, "tenant")}
    assert restated_file_name("tenant", MONTH) == "restatement-tenant-2026-10.csv"


def test_the_same_bills_give_the_same_bytes(tmp_path: Path) -> None:
    lines = [line(f"{day}.11", day=day, tenant=f"t{day % 3}") for day in range(1, 20)]
    now = [line(f"{day}.12", day=day, tenant=f"t{day % 4}") for day in range(1, 25)]
    files = []
    for name, order in (("one", 1), ("other", -1)):
        out = io.BytesIO()
        write_restatement(restated(tmp_path / name, lines[::order], now[::order]), out)
        files.append(out.getvalue())
    assert files[0] == files[1]


def test_what_no_statement_is_made_by_is_refused(tmp_path: Path) -> None:
    answers = answers_on(tmp_path, {MONTH: CLOSED})
    with pytest.raises(UsageProblem, match="by 'region'"):
        restate(answers, answers, whole(MONTH), "region", DIRECT)


def test_a_month_that_the_bill_no_longer_holds_is_not_taken_for_nothing(tmp_path: Path) -> None:
    closed = answers_on(tmp_path / "closed", {MONTH: CLOSED})
    now = answers_on(tmp_path / "now", {BEFORE: in_month(BEFORE, CLOSED)})
    with pytest.raises(UsageProblem, match=f"no billing period {MONTH}"):
        restate(closed, now, whole(MONTH), "tenant", DIRECT)


# Any bills and rules.

LINES = st.lists(
    st.tuples(
        *A_LINE,
        st.integers(1, 2),
        st.sampled_from(["a", "b", GATEWAY, ""]),
        st.sampled_from([None, None, Decimal("0.5")]),
    ),
    max_size=6,
)
"""And its day, its caller, and what part of it the net cost is, where there is one."""


def lines_of(found: Sequence[tuple[Any, ...]]) -> list[Line]:
    """With one line that each bill has: a month without any can't be read."""
    return [
        line("1.00", currency="EUR"),
        *(
            line(
                cost,
                type_,
                tenant=unit,
                day=day,
                principal=who,
                net=part and cost * part,
                line_item_usage_amount=float(day),
            )
            for unit, type_, cost, day, who, part in found
        ),
    ]


@settings(max_examples=15)
@given(LINES, LINES, SETTINGS, st.sampled_from(list(CHARGED)))
def test_any_two_bills_are_told_apart_to_the_last_digit(
    closed: list[Any], now: list[Any], asked: AllocationSettings, by: str
) -> None:
    with TemporaryDirectory() as folder:
        restated(Path(folder), lines_of(closed), lines_of(now), asked, by)


COSTS = st.decimals(-100, 100, places=12) | st.just(Decimal(0))


@given(st.lists(st.tuples(COSTS, COSTS), min_size=1, max_size=5))
def test_that_payers_change_changes_no_cost(sides: list[tuple[Decimal, Decimal]]) -> None:
    closed, current = ([side[at] for side in sides] for at in (0, 1))
    between = payers_first(closed, current)
    assert exact_sum(between) == exact_sum(closed)
    if exact_sum(closed) == exact_sum(current) and any(current):
        assert between == current or not any(c and n for c, n in sides)
