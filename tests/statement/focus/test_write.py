"""FOCUS files: they add up to the bill, charge by charge and unit by unit, in both versions."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from chargeback.dimensions import CHARGED, UNALLOCATED
from chargeback.errors import Problem
from chargeback.money import exact_sum
from chargeback.statement.build import DIRECT, Statement, build_statement
from chargeback.statement.focus.columns import VERSIONS, Version
from chargeback.statement.focus.write import FocusFiles, write_focus
from tests.bills import MONTH, whole
from tests.statement.focus.dataset import EVERY_KIND, HOSTILE, RULES, made, rows_of
from tests.statement.units import TODAY, answers_on

Made = tuple[Statement, FocusFiles]


@pytest.fixture(scope="module", params=VERSIONS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("focus"), request.param)


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("focus"), "1.3")


def sums(rows: list[dict[str, Any]], *by: str) -> dict[tuple[Any, ...], Decimal]:
    found: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for row in rows:
        key = tuple(row[name] for name in by)
        found[key] = exact_sum((found[key], row["BilledCost"]))
    return dict(found)


def test_all_rows_add_up_to_the_bill_to_the_last_digit(both: Made) -> None:
    lines: dict[tuple[str], Decimal] = defaultdict(Decimal)
    for each in EVERY_KIND:
        lines[(each["line_item_currency_code"],)] += each["line_item_unblended_cost"]
    assert sums(rows_of(both[1]), "BillingCurrency") == lines


def test_a_units_rows_are_its_charge_before_rounding(both: Made) -> None:
    statement, files = both
    charged = {unit: exact_sum(columns.values()) for unit, columns in statement.direct.items()}
    for unit, changes in statement.allocation.changes().items():
        charged[unit] = exact_sum((charged.get(unit, Decimal()), *changes.values()))
    found = sums(rows_of(files), "BillingCurrency", "x_BillTo")
    assert {unit: total for unit, total in found.items() if total} == {
        unit: total for unit, total in charged.items() if total
    }
    assert {unit for _, unit in found} == {"acme-corp", HOSTILE, UNALLOCATED}


def test_allocated_charges_add_up_to_the_charge_they_stand_for(both: Made) -> None:
    split = [row for row in rows_of(both[1]) if row["x_OriginChargeId"]]
    found = sums(split, "x_OriginChargeId", "x_OriginBilledCost")
    assert all(origin == total for (_, origin), total in found.items())
    # Two charges of the gateway, a tax and a discount; each is one charge with one cost.
    assert sorted(origin for _, origin in found) == [
        Decimal("-1.11"),
        Decimal("1.0000000007"),
        Decimal("3.333333333"),
        Decimal("7.77"),
    ]
    assert len({id_ for id_, _ in found}) == len(found)


def test_quantities_are_split_like_costs(both: Made) -> None:
    # The gateway's seven units of a thousand tokens, by usage cost before anything moves.
    rows = [row for row in rows_of(both[1]) if row["x_OriginBilledCost"] == Decimal("3.333333333")]
    assert len(rows) == 2
    assert sum(row["PricingQuantity"] for row in rows) == 7
    assert sum(row["ConsumedQuantity"] for row in rows) == 7000


def test_ratios_of_a_charge_add_up_to_one_exactly(newer: Made) -> None:
    ratios: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows_of(newer[1]):
        if row["AllocatedMethodDetails"]:
            details = json.loads(row["AllocatedMethodDetails"], parse_float=Decimal)
            (element,) = details["Elements"]
            ratios[row["x_OriginChargeId"]] += element["AllocatedRatio"]
    assert set(ratios.values()) == {1}
    assert len(ratios) == 4


def test_a_newer_file_names_the_receiver_apart_from_the_tags_as_billed(newer: Made) -> None:
    rows = [row for row in rows_of(newer[1]) if row["AllocatedMethodId"] == "gateway"]
    assert {row["AllocatedResourceId"] for row in rows} == {"acme-corp", HOSTILE}
    for row in rows:
        assert row["AllocatedResourceName"] == row["AllocatedResourceId"] == row["x_BillTo"]
        assert json.loads(row["AllocatedTags"]) == {"chargeback/tenant": row["x_BillTo"]}
        assert json.loads(row["Tags"]) == {}


def test_what_stays_unallocated_after_a_split_has_no_receiver(newer: Made) -> None:
    kept = [
        row
        for row in rows_of(newer[1])
        if row["AllocatedMethodId"] and row["x_BillTo"] == UNALLOCATED
    ]
    # The discount's share of usage that nobody is named for; the tax's is taken by the last rule.
    assert [row["AllocatedMethodId"] for row in kept] == ["discount"]
    names = ("AllocatedResourceId", "AllocatedResourceName", "AllocatedTags")
    assert [kept[0][name] for name in names] == [None] * 3


def test_an_older_file_says_who_is_charged_in_tags(tmp_path: Path) -> None:
    _, files = made(tmp_path, "1.2")
    rows = rows_of(files)
    assert {row["x_AllocatedMethodId"] for row in rows if row["x_OriginChargeId"]} == {
        "discount",
        "gateway",
        "tax",
        "tax+tax++",
    }
    for row in rows:
        tags = json.loads(row["Tags"])
        assert tags["chargeback/tenant"] == row["x_BillTo"]
        assert tags.get("iamPrincipal/tenant", UNALLOCATED) in (row["x_BillTo"], UNALLOCATED)


def test_without_rules_nothing_is_split_and_both_versions_say_the_same(tmp_path: Path) -> None:
    old, new = (rows_of(made(tmp_path / each, each, DIRECT)[1]) for each in VERSIONS)
    both = old[0].keys() & new[0].keys()
    old = [{name: row[name] for name in both} for row in old]
    assert [{name: row[name] for name in both} for row in new] == old
    assert len(old) == len(EVERY_KIND)
    assert {row["AllocatedMethodId"] for row in new} == {None}
    assert {row["x_OriginChargeId"] for row in new} == {None}


def test_every_method_is_described_under_its_id(newer: Made) -> None:
    _, files = newer
    said = json.loads(files.methods.read_text("utf-8"))
    ids = {row["AllocatedMethodId"] for row in rows_of(files)} - {None}
    assert [each["AllocatedMethodId"] for each in said["methods"]] == sorted(ids)
    # A rule's own plus sign is doubled, so that no rule is taken for two steps.
    steps = {each["AllocatedMethodId"]: each["steps"] for each in said["methods"]}
    assert [step["id"] for step in steps["tax+tax++"]] == ["tax", "tax+"]
    assert steps["gateway"] == [
        {
            "id": "gateway",
            "name": "Untagged gateway traffic",
            "weighed": "In proportion to usage cost before anything moves.",
            "rule": {
                "id": "gateway",
                "name": "Untagged gateway traffic",
                "take": {"principal": "arn:aws:iam::*:role/gateway"},
                "by": "direct cost",
            },
        }
    ]


def test_amounts_are_decimals_and_moments_are_in_utc(both: Made) -> None:
    schema = parquet.read_schema(both[1].parquet)
    costs = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "PricingQuantity")
    assert {schema.field(name).type for name in costs} == {pa.decimal128(38, 12)}
    periods = ("BillingPeriodStart", "ChargePeriodEnd")
    assert {schema.field(name).type for name in periods} == {pa.timestamp("us", "UTC")}


def test_the_csv_file_holds_the_same_with_text_that_no_spreadsheet_runs(both: Made) -> None:
    _, files = both
    with files.csv.open(encoding="utf-8-sig", newline="") as opened:
        found = list(csv.DictReader(opened))
    rows = rows_of(files)
    assert [Decimal(each["BilledCost"]) for each in found] == [row["BilledCost"] for row in rows]
    assert {each["BillingPeriodStart"] for each in found} == {"2026-10-01T00:00:00Z"}
    assert {each["x_BillTo"] for each in found} == {"acme-corp", f"'{HOSTILE}", UNALLOCATED}
    tags = [json.loads(each["Tags"]) for each in found]
    assert tags == [json.loads(row["Tags"]) for row in rows]


def test_what_does_not_add_up_to_the_statement_is_not_written(tmp_path: Path) -> None:
    statement, files = made(tmp_path, "1.3")
    before = {path: path.read_bytes() for path in files.all}
    answers = answers_on(tmp_path / "other", {MONTH: EVERY_KIND[1:]})
    with pytest.raises(Problem, match="does not add up to the statement"):
        write_focus(answers, statement, "1.3", tmp_path / "out")
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize("by", CHARGED)
def test_it_adds_up_whoever_is_charged(newer: Made, by: str, tmp_path: Path) -> None:
    answers = answers_on(tmp_path, {MONTH: EVERY_KIND})
    rules = RULES.model_copy(update={"rules": RULES.rules[:1]})
    statement = build_statement(answers, whole(MONTH), by, TODAY, rules)
    rows = rows_of(write_focus(answers, statement, "1.2", tmp_path / "out"))
    assert sums(rows, "BillingCurrency") == sums(rows_of(newer[1]), "BillingCurrency")
    # A statement has a last row for what nobody is named for, even if that is nothing.
    units = {each.bill_to for each in statement.charges} | {UNALLOCATED}
    assert {row["x_BillTo"] for row in rows} | {UNALLOCATED} == units


def test_the_same_month_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = (made(tmp_path / name, "1.3")[1] for name in "ab")
    assert [path.read_bytes() for path in one.all] == [path.read_bytes() for path in other.all]


@pytest.mark.parametrize(("day", "start", "end"), [(3, (10, 3), (10, 4)), (31, (10, 31), (11, 1))])
def test_a_charge_is_of_its_day(
    tmp_path: Path, day: int, start: tuple[int, int], end: tuple[int, int]
) -> None:
    version: Version = "1.2"
    lines = [{**EVERY_KIND[0], "line_item_usage_start_date": datetime(2026, 10, day, 23, 59)}]
    (row,) = rows_of(made(tmp_path, version, DIRECT, lines)[1])
    found = (row["ChargePeriodStart"], row["ChargePeriodEnd"])
    assert found == tuple(datetime(2026, *each, tzinfo=UTC) for each in (start, end))


def test_a_month_without_a_line_has_files_without_rows(tmp_path: Path) -> None:
    statement, _ = made(tmp_path, "1.2", DIRECT)
    answers = answers_on(
        tmp_path / "none",
        {
            MONTH: [
                {
                    **EVERY_KIND[0],
                    "line_item_product_code": "AmazonEC2",
                    "product_servicecode": "AmazonEC2",
                }
            ]
        },
    )
    empty = replace(statement, direct={}, bill={}, charges=())
    files = write_focus(answers, empty, "1.3", tmp_path / "empty")
    assert rows_of(files) == []
