"""What somebody is told of an owner list before it is saved."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from chargeback.attribution.attribution import Attribution
from chargeback.attribution.owner_list import OwnerList
from chargeback.attribution.owner_preview import Moved, Unit, preview
from chargeback.attribution.owner_review import Caller, Contradiction, Idle, review
from chargeback.attribution.owners import parse_owners
from chargeback.attribution.rules import AttributionRules
from chargeback.dimensions import UNALLOCATED
from tests.attribution.test_rule_notices import ACCOUNT, line

GATEWAY = f"arn:aws:sts::{ACCOUNT}:assumed-role/gateway/alice"
SEARCH = f"arn:aws:iam::{ACCOUNT}:role/search"
OCTOBER = [(date(2026, 10, 2), date(2026, 10, 30))]
CALLERS = {Caller(ACCOUNT, GATEWAY): OCTOBER, Caller(ACCOUNT, SEARCH): OCTOBER}
HEADER = "iam_principal,usage_account_id,team,project,effective_from,effective_to"


def listed(*rows: str) -> OwnerList:
    found, faults = parse_owners("\n".join([HEADER, *rows]))
    assert not faults
    return OwnerList("owners.csv", found)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("*gateway/*,,a,,,", None),
        (f",{ACCOUNT},a,,,", None),
        ("*gatewy,,a,,,", "no caller"),
        ("*gateway,111100001111,a,,,", "no caller"),
        ("*gateway,,,,,", "no owner"),
        ("*gateway,,,p,,", "no owner"),
        ("*gateway,,a,,,2026-10-02", "other days"),
        ("*gateway,,a,,,2026-10-03", None),
        ("*gateway,,a,,2026-10-30,", None),
        ("*gateway,,a,,2026-10-31,", None),
        ("*gatewy,,a,,2027-01-01,", "no caller"),
    ],
)
def test_a_row_that_moves_nothing_is_told_with_why(row: str, why: str | None) -> None:
    found = review(listed("*search,,b,,,", row), ["team"], CALLERS)
    assert [(idle.line, idle.why) for idle in found.idle] == ([] if why is None else [(3, why)])
    assert found.contradictions == ()


def test_a_row_of_a_session_that_may_be_kept_with_others_is_not_said_to_move_nothing() -> None:
    role = f"arn:aws:sts::{ACCOUNT}:assumed-role/gateway"
    callers = {Caller(ACCOUNT, f"{role}/*"): OCTOBER}
    rows = (f"{role}/bob,,a,,,", f"{role}/b*,,a,,,", f"{role}s/bob,,a,,,")
    assert review(listed(*rows), ["team"], callers).idle == (Idle(4, "no caller"),)


def test_a_row_between_two_months_counts_in_neither() -> None:
    gap = {Caller(ACCOUNT, SEARCH): [*OCTOBER, (date(2026, 12, 1), date(2026, 12, 2))]}
    found = review(listed("*search,,b,,2026-11-01,2026-12-01"), ["team"], gap)
    assert found.idle == (Idle(2, "other days"),)


def test_without_a_stored_month_no_row_is_told() -> None:
    assert review(listed("*gatewy,,a,,,"), ["team"], {}).idle == ()


def test_all_contradictions_are_told_at_once_each_pair_once() -> None:
    owners = listed("*gateway,,a,,,", "arn:aws*,,b,,,", "*search,,c,,,", "arn:aws*,,b,,,")
    others = {Caller(ACCOUNT, f"{GATEWAY}{n}"): OCTOBER for n in range(3)}
    found = review(owners, ["team"], {**CALLERS, **others})
    assert found.contradictions == (
        Contradiction((2, 3), "team", ("a", "b"), Caller(ACCOUNT, GATEWAY), 4),
    )
    same_length = listed("*gateway,,a,,,", "arn:aws*,,b,,,", "*:search,,c,,,", "*/search,,d,,,")
    lines = [each.lines for each in review(same_length, ["team"], CALLERS).contradictions]
    assert lines == [(2, 3), (3, 5)]


def test_rows_that_never_hold_together_or_are_not_asked_do_not_contradict() -> None:
    apart = listed("*gateway,,a,,,2026-10-10", "arn:aws*,,b,,2026-10-10,")
    assert review(apart, ["team"], CALLERS).contradictions == ()
    together = listed("*gateway,,a,,,2026-10-11", "arn:aws*,,b,,2026-10-10,")
    assert len(review(together, ["team"], CALLERS).contradictions) == 1
    assert review(together, ["project"], CALLERS).contradictions == ()


def spend(*lines: dict[str, object]) -> pa.Table:
    table = pa.Table.from_pylist(list(lines))
    at = table.column_names.index("cost")
    return table.set_column(at, "cost", table["cost"].cast(pa.decimal128(38, 12)))


def moved(then: OwnerList, *lines: dict[str, object]) -> dict[Unit, Moved]:
    path = Path("owners.csv")
    rules = AttributionRules.model_validate({"team": ["iamPrincipal/team", {"owners": path}]})
    now = listed("*gateway,,before,,,")
    return preview(
        Attribution(rules, {path: now}), Attribution(rules, {path: then}), spend(*lines), "2026-10"
    )


def test_the_preview_says_what_each_unit_pays_now_and_then() -> None:
    day = {"usage_date": date(2026, 10, 5)}
    found = moved(
        listed("*gateway,,after,,2026-10-06,", "*gateway,,before,,,2026-10-06", "*search,,s,,,"),
        line("5.000000000001", iam_principal=GATEWAY, **day),
        line("7", iam_principal=GATEWAY, usage_date=date(2026, 10, 6)),
        line("0.5", iam_principal=GATEWAY, tags={"iamPrincipal/team": "tagged"}, **day),
        line("-2", iam_principal=SEARCH, usage_date=None),
        line("3", iam_principal=SEARCH, currency="EUR", **day),
    )
    teams = {key: (each.now, each.then) for key, each in found.items() if key.dimension == "team"}
    assert teams == {
        Unit("team", "USD", "before"): (Decimal("12.000000000001"), Decimal("5.000000000001")),
        Unit("team", "USD", "after"): (0, 7),
        Unit("team", "USD", "tagged"): (Decimal("0.5"), Decimal("0.5")),
        Unit("team", "USD", UNALLOCATED): (-2, 0),
        Unit("team", "USD", "s"): (0, -2),
        Unit("team", "EUR", UNALLOCATED): (3, 0),
        Unit("team", "EUR", "s"): (0, 3),
    }
    assert not found[Unit("team", "USD", "tagged")].differs
    assert found[Unit("team", "USD", "before")].difference == -7
    tenants = {key: each for key, each in found.items() if key.dimension == "tenant"}
    assert not any(each.differs for each in tenants.values())


def test_as_much_coming_as_going_is_a_move_too() -> None:
    found = moved(
        listed("*gateway,,after,,,", "*search,,before,,,"),
        line("7", iam_principal=GATEWAY),
        line("7", iam_principal=SEARCH),
    )
    before = found[Unit("team", "USD", "before")]
    assert before == Moved(Decimal(7), Decimal(7), differs=True)
    assert before.difference == 0
