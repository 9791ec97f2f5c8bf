"""A newer delivery that holds less: what is taken, what is not, what is said, who may accept it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from chargeback.access.change import Actor
from chargeback.attribution.rules import AttributionRules
from chargeback.enrichment.delivery import delivery_comparison
from chargeback.enrichment.local_tables import LocalTables
from chargeback.enrichment.rules import Rules
from chargeback.errors import UsageProblem
from chargeback.notices import Notice
from chargeback.reports.answers import Answers
from chargeback.reports.period_status import notices_of, status_of
from chargeback.settings import Settings
from chargeback.sources.bill_settings import BillSettings
from chargeback.sources.cur2 import result_schema
from chargeback.store.base import Refresh
from chargeback.store.local import LocalStore
from chargeback.store.manifest import Acceptance
from chargeback.workspace import Workspace
from tests.bills import (
    MONTH,
    OTHER_PAYER,
    PAYER,
    WRITTEN,
    CountedFiles,
    Line,
    line,
    write_bill,
)

TODAY = date(2026, 11, 23)
BOSS = Acceptance(who="boss", at=datetime(2026, 11, 20, 8, 30, tzinfo=UTC))


@dataclass
class Ledger:
    """A store, and a bill of one month that is delivered again and again."""

    folder: Path
    bill: BillSettings = field(default_factory=BillSettings)
    deliveries: int = 0

    def __post_init__(self) -> None:
        self.source = CountedFiles(self.folder / "cur")
        self.store = LocalStore(self.folder / "store")

    @property
    def rules(self) -> Rules:
        return Rules(AttributionRules(), "auto", self.bill)

    def deliver(self, *lines: Line) -> list[str]:
        """AWS writes the month again, an hour later, and the store looks at it."""
        self.deliveries += 1
        write_bill(self.source.folder, {MONTH: lines}, WRITTEN + timedelta(hours=self.deliveries))
        return self.refresh()

    def refresh(self, accept: Acceptance | None = None) -> list[str]:
        how = Refresh(delivery_comparison(self.rules), accept=(MONTH, accept) if accept else None)
        return self.store.refresh(self.source, self.source.periods(), how)

    @property
    def answers(self) -> Answers:
        periods = self.store.periods(self.source.source_id)
        return Answers(periods, self.rules, LocalTables(self.store, periods, self.rules))

    @property
    def total(self) -> Decimal:
        return self.answers.bill(MONTH).totals["USD"]

    @property
    def said(self) -> dict[str, Notice]:
        """The notices of the month that are about deliveries, by code."""
        codes = ("delivery-smaller", "attribution-fell", "usage-fell", "delivery-accepted")
        return {each.code: each for each in notices_of(self.answers, MONTH) if each.code in codes}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


# How much usage may fall.


@pytest.mark.parametrize(
    ("before", "after", "is_taken", "said"),
    [
        # By more than ten percent …
        ("1000.00", "900.00", True, ["usage-fell"]),
        ("1000.00", "899.99", False, ["delivery-smaller"]),
        # … and by more than 10.00.
        ("50.00", "40.00", True, ["usage-fell"]),
        ("50.00", "39.99", False, ["delivery-smaller"]),
        ("9.00", "0.01", True, ["usage-fell"]),
        # Between one and ten percent it is taken, and said.
        ("1000.00", "989.99", True, ["usage-fell"]),
        ("1000.00", "990.00", True, []),
        ("1000.00", "1000.00", True, []),
        ("1000.00", "2000.00", True, []),
    ],
)
def test_usage_may_fall_by_a_tenth_or_ten_dollars(
    before: str, after: str, is_taken: bool, said: list[str], ledger: Ledger
) -> None:
    ledger.deliver(line(before))
    assert ledger.deliver(line(after)) == ([MONTH] if is_taken else [])
    assert ledger.total == Decimal(after if is_taken else before)
    assert list(ledger.said) == said
    for each in ledger.said.values():
        assert each.amount == Decimal(before) - Decimal(after)
        assert (each.about["kept"], each.about["found"]) == (
            f"{Decimal(before):,.2f} USD",
            f"{Decimal(after):,.2f} USD",
        )


@pytest.mark.parametrize(
    ("share", "is_taken"), [("0.5", True), ("50", True), ("0.49", False), ("0", False)]
)
def test_a_setting_says_by_how_much(share: str, is_taken: bool, tmp_path: Path) -> None:
    given = BillSettings(keep_if_usage_falls_by=Decimal(share))
    ledger = Ledger(tmp_path, given)
    ledger.deliver(line("1000.00"))
    assert bool(ledger.deliver(line("500.00"))) == is_taken


def test_only_days_that_the_version_in_force_holds_are_compared(ledger: Ledger) -> None:
    ledger.deliver(line("60.00", day=1), line("40.00", day=2))
    assert ledger.deliver(line("60.00", day=1), line("500.00", day=3)) == []
    assert ledger.said["delivery-smaller"].about["found"] == "60.00 USD"


def test_lines_without_a_date_are_compared_with_such(ledger: Ledger) -> None:
    undated: dict[str, Any] = {"line_item_usage_start_date": None, "line_item_usage_end_date": None}
    ledger.deliver(line("100.00", **undated))
    assert ledger.deliver(line("100.00", day=3)) == []
    assert ledger.deliver(line("100.00", **undated), line("1.00", day=3)) == [MONTH]


def test_payers_and_currencies_are_compared_each_by_itself(ledger: Ledger) -> None:
    first = [line("100.00"), line("100.00", payer=OTHER_PAYER), line("100.00", currency="EUR")]
    ledger.deliver(*first)
    for fallen in (1, 2):
        less = [dict(each) for each in first]
        less[fallen]["line_item_unblended_cost"] = Decimal("80.00")
        more = [line("500.00"), *less[1:]]
        assert ledger.deliver(*more) == []
        said = ledger.said["delivery-smaller"]
        assert (said.about["payer"], said.currency) == (
            less[fallen]["bill_payer_account_id"],
            less[fallen]["line_item_currency_code"],
        )


def test_a_payer_without_any_line_is_less_however_little_it_paid(ledger: Ledger) -> None:
    ledger.deliver(line("1000.00"), line("0.01", payer=OTHER_PAYER))
    assert ledger.deliver(line("1000.00")) == []
    said = ledger.said["delivery-smaller"]
    assert (said.about["payer"], said.about["found"]) == (OTHER_PAYER, "no line at all")
    assert ledger.deliver(line("1000.00"), line("0.01", payer=OTHER_PAYER)) == [MONTH]


ELSEWHERE = line("70.00", product_code="AmazonEC2", product_servicecode="AmazonEC2")


@pytest.mark.parametrize("delivered", [[], [ELSEWHERE]], ids=["no line", "none of Bedrock's"])
def test_an_empty_delivery_is_not_taken(delivered: list[Line], ledger: Ledger) -> None:
    ledger.deliver(line("3.00"))
    assert ledger.deliver(*delivered) == []
    assert ledger.total == Decimal("3.00")
    assert ledger.said["delivery-smaller"].blocks_close


def test_an_empty_month_may_stay_empty(ledger: Ledger) -> None:
    assert ledger.deliver(ELSEWHERE) == [MONTH]
    assert ledger.deliver(ELSEWHERE, ELSEWHERE) == [MONTH]
    assert ledger.answers.bill(MONTH).totals == {}


# What does not count.


def test_an_export_may_go_from_hourly_to_daily(ledger: Ledger) -> None:
    ledger.deliver(*(line("5.00") for _ in range(24)))
    assert ledger.deliver(line("120.00")) == [MONTH]
    assert ledger.said == {}
    assert ledger.answers.manifest(MONTH).lines_read == 1


@pytest.mark.parametrize("type_", ["Credit", "Refund", "Tax", "EdpDiscount", "Fee", "RIFee"])
def test_what_is_no_usage_comes_and_goes(type_: str, ledger: Ledger) -> None:
    for cost in ("900.00", "-900.00"):
        assert ledger.deliver(line("1000.00"), line(cost, type_)) == [MONTH]
    assert ledger.said == {}
    assert ledger.total == Decimal("100.00")


def test_the_first_days_of_a_month_grow(ledger: Ledger) -> None:
    days: list[Line] = []
    for day in (1, 2, 3):
        days.append(line("20.00", day=day))
        assert ledger.deliver(*days) == [MONTH]
    assert ledger.said == {}


# Whose it is.


@pytest.mark.parametrize(
    ("what", "tagged", "is_taken"),
    [
        ("team", "90.00", True),
        ("team", "89.99", False),
        ("tenant", "89.99", False),
        ("project", "0.00", False),
        ("cost_center", "0.00", False),
    ],
)
def test_a_tag_may_vanish_from_ten_points_of_usage(
    what: str, tagged: str, is_taken: bool, ledger: Ledger
) -> None:
    ledger.deliver(line("100.00", **{what: "acme"}))
    rest = Decimal("100.00") - Decimal(tagged)
    taken = ledger.deliver(line(tagged, **{what: "acme"}), line(rest))
    assert taken == ([MONTH] if is_taken else [])
    if not is_taken:
        said = ledger.said["attribution-fell"]
        assert said.blocks_close
        assert said.about["what"] == what.replace("_", " ")
        assert said.amount == rest
        assert said.about["kept"] == "100.0%"


@pytest.mark.parametrize(("named", "is_taken"), [("90.00", True), ("89.99", False)])
def test_principals_may_vanish_from_ten_points_of_usage(
    named: str, is_taken: bool, ledger: Ledger
) -> None:
    ledger.deliver(line("100.00"))
    rest = line(Decimal("100.00") - Decimal(named), principal=None)
    assert ledger.deliver(line(named), rest) == ([MONTH] if is_taken else [])
    if not is_taken:
        assert ledger.said["attribution-fell"].about["what"] == "IAM principal"


def test_points_count_and_not_the_amount(ledger: Ledger) -> None:
    """Twice the usage of which as much as before is tagged: half its share is gone."""
    ledger.deliver(line("100.00", team="search"))
    assert ledger.deliver(line("100.00", team="search"), line("100.00")) == []
    assert ledger.said["attribution-fell"].about["found"] == "50.0%"


def test_a_setting_says_by_how_many_points(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, BillSettings(keep_if_attributed_falls_by=Decimal("0.5")))
    ledger.deliver(line("100.00", team="search"))
    assert ledger.deliver(line("50.00", team="search"), line("50.00")) == [MONTH]
    assert ledger.deliver(line("100.00")) == [MONTH]  # 50 points of what is in force


def test_another_team_is_no_fall(ledger: Ledger) -> None:
    ledger.deliver(line("100.00", team="search"))
    assert ledger.deliver(line("100.00", team="support")) == [MONTH]


# What follows.


def test_a_month_whose_delivery_is_not_taken_is_provisional(ledger: Ledger) -> None:
    ledger.deliver(line("100.00"))
    assert status_of(ledger.answers, MONTH, TODAY) == "INVOICED"
    ledger.deliver(line("10.00"))
    assert status_of(ledger.answers, MONTH, TODAY) == "PROVISIONAL"
    ledger.deliver(line("100.00"))
    assert status_of(ledger.answers, MONTH, TODAY) == "INVOICED"


def test_what_was_read_and_not_taken_is_not_read_again(ledger: Ledger) -> None:
    ledger.deliver(line("100.00"))
    ledger.deliver(line("10.00"))
    assert ledger.source.read == [MONTH] * 2
    for _ in range(3):
        assert ledger.refresh() == []
    assert ledger.source.read == [MONTH] * 2
    assert len(list((ledger.store.folder / "versions").iterdir())) == 1


def test_a_delivery_is_accepted_by_somebody_at_some_time(ledger: Ledger) -> None:
    ledger.deliver(line("100.00"))
    ledger.deliver(line("10.00"))
    assert ledger.refresh(BOSS) == [MONTH]
    assert ledger.total == Decimal("10.00")
    assert ledger.answers.manifest(MONTH).accepted == BOSS
    said = ledger.said
    assert list(said) == ["delivery-accepted"]
    assert (said["delivery-accepted"].about["who"], said["delivery-accepted"].about["when"]) == (
        "boss",
        "2026-11-20 08:30 UTC",
    )
    assert "fell from 100.00 USD to 10.00 USD" in said["delivery-accepted"].words
    assert status_of(ledger.answers, MONTH, TODAY) == "INVOICED"
    assert ledger.refresh() == []


def test_nothing_is_accepted_before_it_is_there(ledger: Ledger) -> None:
    ledger.deliver(line("100.00"))
    with pytest.raises(UsageProblem, match=f"No delivery of {MONTH} is waiting"):
        ledger.refresh(BOSS)
    ledger.deliver(line("10.00"))
    ledger.refresh(BOSS)
    with pytest.raises(UsageProblem, match="No delivery"):
        ledger.refresh(BOSS)


def test_a_delivery_that_came_since_is_looked_at_anew(ledger: Ledger) -> None:
    ledger.deliver(line("100.00"))
    ledger.deliver(line("50.00"))
    write_bill(ledger.source.folder, {MONTH: [line("1.00")]}, WRITTEN + timedelta(days=1))
    assert ledger.refresh(BOSS) == []
    assert ledger.total == Decimal("100.00")
    assert ledger.said["delivery-smaller"].about["found"] == "1.00 USD"
    assert ledger.refresh(BOSS) == [MONTH]
    assert ledger.total == Decimal("1.00")


def test_a_whole_delivery_needs_nobody_and_ends_the_notice(ledger: Ledger) -> None:
    ledger.deliver(line("100.00"))
    ledger.deliver(line("50.00"))
    assert ledger.deliver(line("101.00")) == [MONTH]
    assert (ledger.said, ledger.total) == ({}, Decimal("101.00"))
    assert ledger.answers.manifest(MONTH).accepted is None


def test_a_version_of_an_older_program_is_compared_too(ledger: Ledger) -> None:
    ledger.deliver(line("100.00"), line("5.00", payer=OTHER_PAYER))
    as_schema_2(ledger.store, ledger.source.source_id)
    assert ledger.deliver(line("50.00"), line("5.00", payer=OTHER_PAYER)) == []
    assert ledger.said["delivery-smaller"].about["payer"] == PAYER
    assert ledger.answers.manifest(MONTH).schema_version == 2
    assert ledger.deliver(line("100.00"), line("5.00", payer=OTHER_PAYER)) == [MONTH]


def as_schema_2(store: LocalStore, source_id: str) -> None:
    """What a version looks like that program version 0.1.0 wrote."""
    (period,) = store.periods(source_id)
    spend = parquet.read_table(period.spend)
    added = ("charged_lines", "net_charged_lines", "net_repeated_lines")
    assert set(added) < set(result_schema("daily_spend").names)
    parquet.write_table(spend.drop_columns(list(added)), period.spend)
    manifest = json.loads((period.folder / "manifest.json").read_text("utf-8"))
    manifest |= {"schema_version": 2, "notices": [], "cost_basis": "unblended", "not_invoiced": 0}
    for new in ("products", "unexplained", "product_codes", "exports", "accepted", "spend_sha256"):
        del manifest[new]
    (period.folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")


# A period that has gone from the bill.


def two_months(folder: Path) -> Workspace:
    write_bill(folder / "cur", {MONTH: [line("100.00")], "2026-09": [line("7.00")]})
    workspace = Workspace(
        Settings(cur=folder / "cur", store=folder / "store", ledger=folder / "ledger")
    )
    workspace.refresh()
    return workspace


def remove(workspace: Workspace, month: str) -> None:
    assert workspace.settings.cur
    shutil.rmtree(workspace.settings.cur / "bill" / "data" / f"BILLING_PERIOD={month}")


def codes(workspace: Workspace, month: str) -> Sequence[str]:
    return [each.code for each in notices_of(workspace.answers(), month) if each.blocks_close]


def test_a_month_that_has_gone_stays_and_is_said(tmp_path: Path) -> None:
    workspace = two_months(tmp_path)
    remove(workspace, MONTH)
    assert workspace.refresh() == []
    answers = workspace.answers()
    assert answers.months == [MONTH, "2026-09"]
    assert codes(workspace, MONTH) == ["period-gone"]
    assert codes(workspace, "2026-09") == []
    (said,) = (each for each in notices_of(answers, MONTH) if each.blocks_close)
    assert (said.amount, said.currency) == (Decimal("100.00"), "USD")
    assert status_of(answers, MONTH, TODAY) == "PROVISIONAL"


def test_a_month_that_came_back_is_as_before(tmp_path: Path) -> None:
    workspace = two_months(tmp_path)
    remove(workspace, MONTH)
    workspace.refresh()
    write_bill(tmp_path / "cur", {MONTH: [line("100.00")]})
    assert workspace.refresh() == []  # it is the version that the store holds
    assert codes(workspace, MONTH) == []
    assert status_of(workspace.answers(), MONTH, TODAY) == "INVOICED"


def test_accepting_that_a_month_has_gone_takes_it_from_view(tmp_path: Path) -> None:
    workspace = two_months(tmp_path)
    with pytest.raises(UsageProblem, match="No delivery"):
        workspace.accept(MONTH, Actor("boss"))
    remove(workspace, MONTH)
    workspace.refresh()
    assert workspace.accept(MONTH, Actor("boss")) == []
    assert workspace.answers().months == ["2026-09"]
    with pytest.raises(UsageProblem, match="No delivery"):
        workspace.accept(MONTH, Actor("boss"))
    write_bill(tmp_path / "cur", {MONTH: [line("3.00")]})
    assert workspace.refresh() == [MONTH]
    assert codes(workspace, MONTH) == []
