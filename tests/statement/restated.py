"""Small bills compared with what was closed, and the causes that were found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from chargeback.dimensions import CHARGED
from chargeback.money import exact_sum
from chargeback.reports.answers import Answers
from chargeback.reports.charges import charges_by_unit
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import DIRECT, build_statement
from chargeback.statement.restated_lines import UNCHANGED
from chargeback.statement.restatement import Restatement, restate
from tests.bills import MONTH, Line, line, whole
from tests.statement.units import TODAY, answers_on

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
