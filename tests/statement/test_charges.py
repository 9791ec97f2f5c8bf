"""What each unit is charged, column by column, against the raw CUR lines by their type."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from chargeback.demo import write_demo
from chargeback.reports.answers import Answers
from chargeback.reports.charges import charges_by_unit
from chargeback.reports.period_status import notices_of, status_of
from chargeback.settings import Settings
from chargeback.sources.bill_settings import BillSettings
from chargeback.statement.build import MONEY, build_statement
from chargeback.workspace import Workspace
from tests.bills import (
    MONTH,
    OTHER_PAYER,
    PAYER,
    Line,
    exported,
    file_of,
    line,
    lines_of,
    whole,
    write_bill,
)

TODAY = date(2026, 11, 23)
CENT = Decimal("0.01")
COLUMN_OF = {
    "Usage": "usage_cost",
    "DiscountedUsage": "usage_cost",
    "SavingsPlanCoveredUsage": "usage_cost",
    "SavingsPlanNegation": "usage_cost",
    "EdpDiscount": "discount_amount",
    "PrivateRateDiscount": "discount_amount",
    "BundledDiscount": "discount_amount",
    "Credit": "credit_amount",
    "Refund": "refund_amount",
    "Tax": "tax_amount",
    "Fee": "other_amount",
    "RIFee": "other_amount",
    "AWS has not told us yet": "other_amount",
}
"""As the design names the columns of a statement by line type."""
Amounts = dict[str, Decimal]


def every_type(payer: str, currency: str, *, net: bool) -> list[Line]:
    """A line of each type for each of two tenants and for nobody, each of another amount."""
    lines = []
    for who, tenant in enumerate(("acme", "zenith", "")):
        for number, type_ in enumerate(COLUMN_OF):
            cost = Decimal(f"{10 + 7 * number + 100 * who}.{number:02}{who}37")
            sign = -1 if COLUMN_OF[type_] in ("discount_amount", "credit_amount") else 1
            given = {"tenant": tenant} if tenant else {}
            if net:
                given["net"] = str(cost * sign - Decimal("0.25"))
                if COLUMN_OF[type_] == "discount_amount":
                    given["net"] = "0"
            lines.append(line(cost * sign, type_, payer=payer, currency=currency, **given))
    return lines


def answers_on(lines: Sequence[Line], folder: Path, **bill: object) -> Answers:
    cur = write_bill(folder / "cur", {MONTH: lines})
    settings = Settings(cur=cur, store=folder / "store", bill=BillSettings.model_validate(bill))
    workspace = Workspace(settings)
    workspace.refresh()
    return workspace.answers()


def independent(lines: Sequence[Line], net_payers: set[str]) -> dict[tuple[str, str], Amounts]:
    """Currency and tenant: the sum of each column, exact, by the words of the design."""
    found: dict[tuple[str, str], Amounts] = defaultdict(lambda: defaultdict(Decimal))
    for each in lines:
        tenant = each["tags"].get("iamPrincipal/tenant") or "(unallocated)"
        amounts = found[each["line_item_currency_code"], tenant]
        cost, net = each["line_item_unblended_cost"], each["line_item_net_unblended_cost"]
        amounts[COLUMN_OF[each["line_item_line_item_type"]]] += cost
        if each["bill_payer_account_id"] in net_payers and net is not None:
            amounts["discount_amount"] += net - cost
    return found


def is_bedrock(each: Line) -> bool:
    named = "bedrock" in each["product"].get("product_name", "").lower()
    return "bedrock" in each["line_item_product_code"].lower() or (
        each["bill_billing_entity"] == "AWS Marketplace" and named
    )


def charged(answers: Answers, month: str = MONTH) -> dict[tuple[str, str], Amounts]:
    """The same as the program has it before it rounds."""
    return {
        (row["currency"], row["unit"]): {name: row.get(name, Decimal()) for name in MONEY}
        for row in charges_by_unit(answers, whole(month), "tenant").to_pylist()
    }


def assert_equal(
    mine: dict[tuple[str, str], Amounts], exact: dict[tuple[str, str], Amounts]
) -> None:
    assert mine.keys() == exact.keys()
    for unit, amounts in exact.items():
        assert mine[unit] == {name: amounts.get(name, Decimal()) for name in MONEY}


def test_each_line_type_has_its_column_in_every_unit(tmp_path: Path) -> None:
    """Of one payer discounts are lines, of the other they are in the net costs."""
    answers = answers_on(
        [
            *every_type(PAYER, "USD", net=False),
            *every_type(OTHER_PAYER, "USD", net=True),
            *every_type(PAYER, "EUR", net=False),
        ],
        tmp_path,
    )
    exact = independent(lines_of([file_of(tmp_path / "cur", MONTH)]), {OTHER_PAYER})
    distinct = {amount for row in exact.values() for amount in row.values()}
    assert len(distinct) == len(exact) * len(set(COLUMN_OF.values()))  # none can pass for another
    assert_equal(charged(answers), exact)


def test_a_statements_cells_are_those_sums_within_a_cent(tmp_path: Path) -> None:
    answers = answers_on(every_type(PAYER, "USD", net=False), tmp_path)
    exact = independent(lines_of([file_of(tmp_path / "cur", MONTH)]), set())
    file = exported(answers, whole(MONTH), "tenant", TODAY, tmp_path / "out").statement
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["bill_to"] for row in rows] == ["acme", "zenith", "(unallocated)"]
    for row in rows:
        amounts = exact[row["currency"], row["bill_to"]]
        for name in MONEY:
            assert abs(Decimal(row[name]) - amounts[name]) < CENT
        assert abs(Decimal(row["total_charge"]) - sum(amounts.values())) < CENT


@pytest.mark.parametrize("month", ["2026-08", "2026-11"])
def test_a_demo_months_columns_are_the_sums_of_its_lines(month: str, tmp_path: Path) -> None:
    """August has its discounts in net costs, November as lines (chargeback.demo)."""
    write_demo(tmp_path / "cur", today=TODAY, months=4, lines=600)
    files = sorted((tmp_path / "cur").glob(f"*/data/BILLING_PERIOD={month}/*.parquet"))
    lines = [each for each in lines_of(files) if is_bedrock(each)]
    payers = {each["bill_payer_account_id"] for each in lines} if month == "2026-08" else set()
    workspace = Workspace(Settings(cur=tmp_path / "cur", store=tmp_path / "store"))
    workspace.refresh(month)
    assert_equal(charged(workspace.answers(), month), independent(lines, payers))


@pytest.mark.parametrize(
    ("centers", "shown"),
    [
        (["cc-1", "cc-1"], "cc-1"),
        (["cc-1", "cc-2"], ""),
        (["cc-2", "cc-1", ""], ""),
        (["cc-1", ""], "cc-1"),  # a line that names none contradicts nobody
        (["", ""], ""),
    ],
)
def test_a_unit_of_several_cost_centers_shows_none(
    centers: list[str], shown: str, tmp_path: Path
) -> None:
    lines = [line("1.00", tenant="acme", cost_center=center) for center in centers]
    other = line("1.00", tenant="other", cost_center="cc-9")
    statement = build_statement(
        answers_on([*lines, other], tmp_path), whole(MONTH), "tenant", TODAY
    )
    assert [(row.bill_to, row.cost_center) for row in statement.charges] == [
        ("acme", shown),
        ("other", "cc-9"),
        ("(unallocated)", ""),
    ]


# Period status: the last moment of a month, and the first of the next; what keeps it open.


def status(lines: Sequence[Line], folder: Path, today: date = TODAY) -> str:
    statement = build_statement(answers_on(lines, folder), whole(MONTH), "tenant", today)
    return statement.period_status


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 10, 1), "PROVISIONAL"),
        (date(2026, 10, 31), "PROVISIONAL"),
        (date(2026, 11, 1), "INVOICED"),
        (date(2027, 10, 1), "INVOICED"),
    ],
)
def test_an_invoiced_month_is_provisional_to_its_last_day(
    today: date, expected: str, tmp_path: Path
) -> None:
    assert status([line("5.00")], tmp_path, today) == expected


@pytest.mark.parametrize(
    ("without_invoice", "expected"),
    [
        ([], "INVOICED"),
        ([line("0.01", invoice=None)], "PROVISIONAL"),
        ([line("0.000000000001", invoice="")], "PROVISIONAL"),
        ([line("0", invoice=None)], "INVOICED"),
        ([line("0", "Credit", invoice="")], "INVOICED"),
        ([line("0", net="-0.50", invoice=None)], "PROVISIONAL"),
        # Two lines that cancel each other out in one row of the store: both wait for an invoice.
        ([line("2.00", invoice=None), line("-2.00", invoice=None)], "PROVISIONAL"),
    ],
)
def test_one_charged_line_without_an_invoice_keeps_a_month_open(
    without_invoice: list[Line], expected: str, tmp_path: Path
) -> None:
    assert status([line("5.00"), *without_invoice], tmp_path) == expected


def test_a_month_without_a_line_is_not_invoiced(tmp_path: Path) -> None:
    lines = [line("5.00", product_code="AmazonEC2", product_servicecode="AmazonEC2")]
    answers = answers_on(lines, tmp_path)
    assert build_statement(answers, whole(MONTH), "tenant", TODAY).period_status == "PROVISIONAL"
    assert [each.code for each in notices_of(answers, MONTH)] == ["no-bedrock-lines"]


def test_a_notice_that_blocks_keeps_a_month_open_and_settling_it_does_not(tmp_path: Path) -> None:
    contradicting = [
        line("10.00", net="9.00"),
        line("-3.00", "EdpDiscount", net="-1.00"),
    ]
    is_open = answers_on(contradicting, tmp_path / "open")
    assert [n.code for n in notices_of(is_open, MONTH) if n.blocks_close] == ["basis-open"]
    assert status_of(is_open, MONTH, TODAY) == "PROVISIONAL"
    settled = answers_on(contradicting, tmp_path / "settled", basis={PAYER: "net"})
    assert status_of(settled, MONTH, TODAY) == "INVOICED"


def test_a_warning_keeps_no_month_open(tmp_path: Path) -> None:
    odd = line(
        "4.00",
        product_code="abc123",
        bill_billing_entity="AWS Marketplace",
        product={"product_name": "Bedrock consultancy"},
        product_servicecode="abc123",
        line_item_usage_type="Consulting",
    )
    answers = answers_on([line("5.00"), odd], tmp_path)
    assert "product-name-only" in [n.code for n in notices_of(answers, MONTH)]
    assert status_of(answers, MONTH, TODAY) == "INVOICED"
