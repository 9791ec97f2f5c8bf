"""Which cost counts for each payer and currency, against an oracle written from the design."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from chargeback.enrichment.bill import CostBasis, billed_cost
from chargeback.reports.answers import Answers
from chargeback.reports.charges import charges_by_unit, detail
from chargeback.reports.period_status import notices_of
from chargeback.settings import Settings
from chargeback.sources.bill_settings import BillSettings
from chargeback.workspace import Workspace
from tests.bills import MONTH, OTHER_PAYER, PAYER, Line, file_of, line, lines_of, whole, write_bill

Basis = Literal["unblended", "net"]
Key = tuple[str, str]
CENT = Decimal("0.01")
DISCOUNTS = ("EdpDiscount", "PrivateRateDiscount", "BundledDiscount", "Discount")
OTHERS = ("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage", "Credit", "Tax", "Fee", "New")
"""DiscountedUsage is usage at a reserved price: its type does not end in Discount."""


# The oracle: the words of the design over the raw lines, with nothing of the program.


def expected_basis(lines: Sequence[Line]) -> tuple[Basis, bool]:
    """The basis of one payer's lines in one currency, and whether it is open."""
    costs = [
        (each["line_item_unblended_cost"], each["line_item_net_unblended_cost"]) for each in lines
    ]
    is_discount = [each["line_item_line_item_type"].endswith("Discount") for each in lines]
    before = told = Decimal()
    for (cost, net), discount in zip(costs, is_discount, strict=True):
        if discount:
            told -= cost
        else:
            before += cost - (cost if net is None else net)
    if before == 0:
        return "unblended", False
    if told == 0:
        return "net", False
    discounts = [pair for pair, discount in zip(costs, is_discount, strict=True) if discount]
    nets = [(cost, Decimal() if net is None else net) for cost, net in discounts]
    if all(net == 0 for _, net in nets):
        return "net", False
    if all(net == cost for cost, net in nets) and in_cents(before) == in_cents(told):
        return "unblended", False
    return "net", True


def in_cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def expected_total(lines: Sequence[Line], basis: Basis) -> Decimal:
    total = Decimal()
    for each in lines:
        cost, net = each["line_item_unblended_cost"], each["line_item_net_unblended_cost"]
        if basis == "net" and net is not None:
            total += net
        elif basis == "net" and each["line_item_line_item_type"].endswith("Discount"):
            total += 0
        else:
            total += cost
    return total


def by_payer(lines: Sequence[Line]) -> dict[Key, list[Line]]:
    found: dict[Key, list[Line]] = defaultdict(list)
    for each in lines:
        found[each["bill_payer_account_id"], each["line_item_currency_code"]].append(each)
    return found


@contextmanager
def read(lines: Sequence[Line], **bill: object) -> Iterator[tuple[Answers, list[Line]]]:
    """The reports on a bill of these lines, and the lines as they stand in its file."""
    folder = Path(tempfile.mkdtemp())
    try:
        cur = write_bill(folder / "cur", {MONTH: lines})
        given_ = BillSettings.model_validate(bill)
        workspace = Workspace(Settings(cur=cur, store=folder / "store", bill=given_))
        workspace.refresh()
        yield workspace.answers(), lines_of([file_of(cur, MONTH)])
    finally:
        shutil.rmtree(folder)


def assert_as_designed(lines: Sequence[Line]) -> None:
    with read(lines) as (answers, raw):
        found = {
            (each.payer_account_id, each.currency): each for each in answers.bill(MONTH).cost_basis
        }
        groups = by_payer(raw)
        assert found.keys() == groups.keys()
        for key, mine in groups.items():
            basis, is_open = expected_basis(mine)
            assert (found[key].basis, found[key].is_open) == (basis, is_open)
            assert found[key].total == expected_total(mine, basis)
            each_line = (billed_cost(_short(one), is_net=basis == "net") for one in mine)
            assert sum(each_line) == found[key].total
        said = {
            (each.about["payer"], each.currency): each
            for each in notices_of(answers, MONTH)
            if each.code == "basis-open"
        }
        assert said.keys() == {key for key, mine in groups.items() if expected_basis(mine)[1]}
        assert all(each.blocks_close for each in said.values())
        assert_the_detail_is_the_bill(answers, {key: b.total for key, b in found.items()})


def _short(one: Line) -> Line:
    names = ("unblended_cost", "net_unblended_cost", "line_item_type")
    return {name: one[f"line_item_{name}"] for name in names}


def assert_the_detail_is_the_bill(answers: Answers, totals: dict[Key, Decimal]) -> None:
    billed: dict[Key, Decimal] = defaultdict(Decimal)
    for row in detail(answers, whole(MONTH)).read_all().to_pylist():
        billed[row["payer_account_id"], row["currency"]] += row["billed_cost"]
    assert billed == totals
    charged: dict[str, Decimal] = defaultdict(Decimal)
    for row in charges_by_unit(answers, whole(MONTH), "tenant").to_pylist():
        charged[row["currency"]] += row["total_charge"]
    assert charged == answers.bill(MONTH).totals


# Bills on which every case comes up.

amounts = st.sampled_from(("0", "0.004", "0.01", "0.02", "0.05", "1.00", "-0.01", "-0.05"))
FILLINGS = ("absent", "zero", "repeated", "less")


@st.composite
def bill_lines(draw: st.DrawFn) -> list[Line]:
    """Lines of many payers and two currencies; a filling of the net costs prevails in each.

    Reading a bill costs far more than a line of it, so that one bill asks many questions; for the
    same reason none is made smaller that fails: the cases below are the small ones.
    """
    lines = []
    payers = st.integers(1, 30).map("9999000000{:02}".format)
    groups = draw(
        st.lists(
            st.tuples(payers, st.sampled_from(("USD", "EUR"))), min_size=1, max_size=20, unique=True
        )
    )
    for payer, currency in groups:
        usual: dict[tuple[str, ...], st.SearchStrategy[str]] = {
            kinds: st.sampled_from(
                (draw(st.sampled_from(FILLINGS)), draw(st.sampled_from(FILLINGS)))
            )
            for kinds in (DISCOUNTS, OTHERS)
        }
        for _ in range(draw(st.integers(1, 6))):
            kinds = draw(st.sampled_from((DISCOUNTS, OTHERS, OTHERS)))
            cost = Decimal(draw(amounts))
            net = {
                "absent": None,
                "zero": "0",
                "repeated": str(cost),
                "less": str(cost - Decimal(draw(amounts))),
            }[draw(usual[kinds])]
            day = draw(st.integers(1, 3))
            lines.append(
                line(
                    cost,
                    draw(st.sampled_from(kinds)),
                    net=net,
                    payer=payer,
                    currency=currency,
                    day=day,
                )
            )
    return lines


TOLD_TWICE = [
    line("10.00", net="9.00"),
    line("-1.00", "EdpDiscount", net="-1.00"),
]


@settings(max_examples=15, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@example(TOLD_TWICE)
@given(bill_lines())
def test_the_basis_and_the_bill_are_as_designed(lines: list[Line]) -> None:
    assert_as_designed(lines)


CASES: list[tuple[str, list[Line], Basis, str]] = [
    ("net takes nothing off", [line("10.00", net="10.00")], "unblended", "nothing off"),
    ("no net cost at all", [line("10.00"), line("-1.00", "EdpDiscount")], "unblended",
     "nothing off"),
    ("an absent net cost is the cost", [line("10.00"), line("-1.00", "EdpDiscount", net="-1")],
     "unblended", "nothing off"),
    ("no discount line", [line("10.00", net="9.00")], "net", "no discount lines"),
    ("discount lines that come to nothing", [line("10.00", net="9.00"), line("0", "EdpDiscount")],
     "net", "no discount lines"),
    ("discounts have a net cost of zero",
     [line("10.00", net="9.00"), line("-1.00", "EdpDiscount", net="0")], "net", "no net cost"),
    ("an absent net cost of a discount is zero",
     [line("10.00", net="9.00"), line("-1.00", "EdpDiscount")], "net", "no net cost"),
    ("one discount told twice", TOLD_TWICE, "unblended", "told twice"),
    ("told twice to the cent", [line("10.00", net="9.004"), TOLD_TWICE[1]], "unblended",
     "told twice"),
    ("a cent apart", [line("10.00", net="8.99"), TOLD_TWICE[1]], "net", "open"),
    ("one of two is not repeated",
     [line("10.00", net="8.00"), TOLD_TWICE[1], line("-1.00", "EdpDiscount", net="-0.5")],
     "net", "open"),
    # Both in one row of the store: what the sums hide, the counts of lines show.
    ("two that only repeat in sum",
     [line("10.00", net="8.00"), line("-1.00", "EdpDiscount", net="-0.5"),
      line("-1.00", "EdpDiscount", net="-1.5")], "net", "open"),
    ("two that are only zero in sum",
     [line("10.00", net="9.00"), line("-1.00", "EdpDiscount", net="0.5"),
      line("-1.00", "EdpDiscount", net="-0.5")], "net", "open"),
]  # fmt: skip
"""Each is the bill of a payer of its own."""


@pytest.fixture(scope="module")
def basis_of() -> dict[str, CostBasis]:
    lines = [
        {**each, "bill_payer_account_id": case} for case, given_, _, _ in CASES for each in given_
    ]
    assert_as_designed(lines)
    with read(lines) as (answers, _):
        return {each.payer_account_id: each for each in answers.bill(MONTH).cost_basis}


@pytest.mark.parametrize(
    ("case", "basis", "decided_by"), [(case, basis, why) for case, _, basis, why in CASES]
)
def test_each_case_of_the_rule(
    case: str, basis: Basis, decided_by: str, basis_of: dict[str, CostBasis]
) -> None:
    assert basis_of[case].basis == basis
    assert basis_of[case].decided_by.endswith(decided_by)


def test_payers_and_currencies_have_a_basis_each() -> None:
    lines = [
        line("10.00", net="9.00"),
        line("20.00", payer=OTHER_PAYER),
        line("-2.00", "EdpDiscount", payer=OTHER_PAYER),
        line("30.00", currency="EUR"),
        line("-3.00", "EdpDiscount", currency="EUR"),
    ]
    assert_as_designed(lines)
    with read(lines) as (answers, _):
        bill = answers.bill(MONTH)
        assert bill.totals == {"USD": Decimal("27.00"), "EUR": Decimal("27.00")}
        assert bill.basis_in("USD") == "unblended and net"
        assert bill.basis_in("EUR") == "unblended"


OPEN = [line("10.00", net="9.00"), line("-3.00", "EdpDiscount", net="-1.00")]


def test_an_open_basis_names_both_sums() -> None:
    with read(OPEN) as (answers, _):
        (said,) = (each for each in notices_of(answers, MONTH) if each.code == "basis-open")
    assert said.blocks_close
    assert (said.amount, said.currency) == (Decimal("8.00"), "USD")
    assert [Decimal(said.about[name]) for name in ("before", "told")] == [1, 3]
    assert f"Payer account {PAYER}" in said.words


@pytest.mark.parametrize(("basis", "total"), [("unblended", "7.00"), ("net", "8.00")])
def test_a_setting_settles_the_basis_of_its_payer_alone(basis: Basis, total: str) -> None:
    others = [line("5.00", net="4.00", payer=OTHER_PAYER)]
    with read([*OPEN, *others], basis={PAYER: basis}) as (answers, _):
        found = {each.payer_account_id: each for each in answers.bill(MONTH).cost_basis}
        assert (found[PAYER].basis, found[PAYER].decided_by) == (basis, "setting")
        assert found[PAYER].total == Decimal(total)
        assert found[OTHER_PAYER].decided_by == "no discount lines"
        assert not [each for each in notices_of(answers, MONTH) if each.blocks_close]
        assert_the_detail_is_the_bill(
            answers, {(each.payer_account_id, each.currency): each.total for each in found.values()}
        )


def test_net_where_aws_filled_none_is_the_unblended_cost() -> None:
    with read([line("10.00"), line("-1.00", "EdpDiscount")], basis={PAYER: "net"}) as (answers, _):
        assert answers.bill(MONTH).totals == {"USD": Decimal("9.00")}


def test_an_excluded_product_is_on_no_figure_and_said() -> None:
    odd: dict[str, Any] = {
        "product_code": "abc123",
        "bill_billing_entity": "AWS Marketplace",
        "product_servicecode": "abc123",
        "line_item_usage_type": "Consulting",
        "product": {"product_name": "Bedrock consultancy"},
    }
    lines = [line("10.00"), line("4.00", **odd), line("0.40", "Tax", **odd | {"product": {}})]
    with read(lines) as (answers, _):
        assert answers.bill(MONTH).totals == {"USD": Decimal("14.40")}
        (named,) = (each for each in notices_of(answers, MONTH) if each.code == "product-name-only")
        assert (named.lines, named.amount) == (2, Decimal("4.40"))
    with read(lines, exclude_products=["abc123"]) as (answers, _):
        assert answers.bill(MONTH).totals == {"USD": Decimal("10.00")}
        (left_out,) = (
            each for each in notices_of(answers, MONTH) if each.code == "product-excluded"
        )
        assert (left_out.lines, left_out.amount) == (2, Decimal("4.40"))
        assert_the_detail_is_the_bill(answers, {(PAYER, "USD"): Decimal("10.00")})
        codes = detail(answers, whole(MONTH)).read_all()["product_code"].to_pylist()
        assert codes == ["AmazonBedrock"]


def test_an_excluded_product_waits_for_no_invoice_and_decides_no_basis() -> None:
    odd = {"product_code": "bedrock-tool", "invoice": None}
    lines = [line("10.00", net="9.00"), line("-3.00", "EdpDiscount", net="-1.00", **odd)]
    with read(lines, exclude_products=["bedrock-tool"]) as (answers, _):
        bill = answers.bill(MONTH)
        assert bill.not_invoiced == 0
        assert [each.decided_by for each in bill.cost_basis] == ["no discount lines"]
