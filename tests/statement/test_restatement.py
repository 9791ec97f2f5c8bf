"""A closed month beside the bill as it is now: all differences add up, and have their causes."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargeback.dimensions import CHARGED, UNALLOCATED
from chargeback.errors import Problem, UsageProblem
from chargeback.money import exact_sum
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import DIRECT
from chargeback.statement.restated_lines import payers_first
from chargeback.statement.restatement import (
    COLUMNS,
    restate,
    restated_file_name,
    write_restatement,
)
from tests.bills import MONTH, Line, line, whole
from tests.statement.restated import ACME, CLOSED, GLOBEX, restated, told
from tests.statement.test_allocation import A_LINE, GATEWAY, SETTINGS, rules
from tests.statement.units import BEFORE, answers_on, in_month


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


def test_where_there_is_no_room_to_compare_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = answers_on(tmp_path, {MONTH: CLOSED})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(Problem, match="no room to compare"):
        restate(answers, answers, whole(MONTH), "tenant", DIRECT)


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
