"""The files of a month against an independent sum over the raw CUR files."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from chargeback.demo import write_demo
from chargeback.reports.answers import Answers
from chargeback.settings import Settings
from chargeback.statement.build import MONEY
from chargeback.statement.export import ExportFiles
from chargeback.statement.export_tables import DETAIL_COLUMNS
from chargeback.workspace import Workspace
from tests.bills import exported, whole

TODAY = date(2026, 11, 23)
MONTH = "2026-10"
CENT = Decimal("0.01")
KEYS = {
    "tenant": "tags['iamPrincipal/tenant']",
    "principal": "line_item_iam_principal",
}
"""Where the raw bill names each unit; the demo bill spells its tenant tag in one way only."""

BEDROCK = """
  (bill_billing_entity = 'AWS' AND line_item_product_code LIKE '%Bedrock%')
  OR (bill_billing_entity = 'AWS Marketplace' AND product['product_name'] LIKE '%Bedrock%')
"""


@pytest.fixture(scope="module")
def cur(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cur")
    write_demo(folder, today=TODAY, months=4, lines=2000)
    return folder


@pytest.fixture(scope="module")
def answers(cur: Path, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    workspace = Workspace(Settings(cur=cur, store=tmp_path_factory.mktemp("store")))
    workspace.refresh()
    return workspace.answers()


def independent(cur: Path, unit: str) -> dict[str, Decimal]:
    """Each unit's exact cost from the raw files; Python adds the decimals."""
    found = duckdb.execute(
        f"SELECT COALESCE(NULLIF({unit}, ''), '(unallocated)'), "  # noqa: S608
        "CAST(line_item_unblended_cost AS VARCHAR) "
        f"FROM read_parquet('{cur}/*/data/BILLING_PERIOD={MONTH}/*.parquet') WHERE {BEDROCK}"
    ).fetchall()
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for name, cost in found:
        totals[name] += Decimal(cost)
    return totals


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def set_by(answers: Answers, by: str, out: Path) -> tuple[ExportFiles, list[dict[str, str]]]:
    files = exported(answers, whole(MONTH), by, TODAY, out)
    return files, read(files.statement)


@pytest.mark.parametrize("by", ["tenant", "team", "project", "cost_center", "principal", "account"])
def test_a_statement_adds_up_every_way_and_ties(
    by: str, cur: Path, answers: Answers, tmp_path: Path
) -> None:
    _, rows = set_by(answers, by, tmp_path)
    bill = sum(independent(cur, "''").values(), Decimal())
    for row in rows:
        assert sum(Decimal(row[name]) for name in MONEY) == Decimal(row["total_charge"])
    assert sum(Decimal(row["total_charge"]) for row in rows) == round(bill, 2)
    assert rows[-1]["bill_to"] == "(unallocated)"
    assert len({row["bill_to"] for row in rows}) == len(rows)


@pytest.mark.parametrize("by", KEYS)
def test_each_unit_is_charged_its_own_sum_within_a_cent(
    by: str, cur: Path, answers: Answers, tmp_path: Path
) -> None:
    _, rows = set_by(answers, by, tmp_path)
    charged = {row["bill_to"].removeprefix("'"): Decimal(row["total_charge"]) for row in rows}
    exact = independent(cur, KEYS[by])
    assert charged.keys() == exact.keys()
    assert all(abs(charged[name] - exact[name]) < CENT for name in exact)


def test_the_detail_is_the_bill_to_the_last_digit(
    cur: Path, answers: Answers, tmp_path: Path
) -> None:
    files, _ = set_by(answers, "tenant", tmp_path)
    rows = read(files.detail)
    assert list(rows[0]) == list(DETAIL_COLUMNS)
    exact = sum(independent(cur, "''").values(), Decimal())
    assert sum(Decimal(row["billed_cost"]) for row in rows) == exact


def test_the_manifest_says_what_the_files_hold(answers: Answers, tmp_path: Path) -> None:
    files, rows = set_by(answers, "team", tmp_path)
    manifest = json.loads(files.manifest.read_text("utf-8"))
    digests = {file["name"]: (file["rows"], file["sha256"]) for file in manifest["files"]}
    for path, count in ((files.statement, len(rows)), (files.detail, len(read(files.detail)))):
        assert digests[path.name] == (count, hashlib.sha256(path.read_bytes()).hexdigest())
    (totals,) = manifest["totals"]
    assert totals["difference"] == totals["detail_difference"] == "0.00"
    invoiced = sum(Decimal(invoice["bill"]) for invoice in manifest["invoices"])
    assert invoiced == Decimal(totals["bill"])


def test_an_export_has_the_same_bytes_every_time(answers: Answers, tmp_path: Path) -> None:
    first, _ = set_by(answers, "principal", tmp_path / "first")
    second, _ = set_by(answers, "principal", tmp_path / "second")
    for name in ("statement", "detail", "manifest"):
        assert getattr(first, name).read_bytes() == getattr(second, name).read_bytes()


def test_no_text_runs_as_a_formula(answers: Answers, tmp_path: Path) -> None:
    files, rows = set_by(answers, "tenant", tmp_path)
    assert any(row["bill_to"].startswith("'=") for row in rows)  # the demo has such a tenant
    numbers = {*MONEY, "total_charge", "usage_amount", "tokens"}
    numbers |= {"unblended_cost", "net_unblended_cost", "billed_cost"}
    for row in [*rows, *read(files.detail)]:
        texts = (value for name, value in row.items() if name not in numbers)
        assert not any(value[:1] in tuple("=+-@\t\r") and value for value in texts)
