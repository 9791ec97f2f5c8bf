"""FOCUS files in the validators of others, which have an environment of their own."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from pyarrow import compute, parquet

from chargeback.demo import write_demo
from chargeback.demo.rules import ALLOCATION
from chargeback.settings import Settings
from chargeback.statement.allocation_settings import AllocationSettings
from chargeback.statement.build import build_statement
from chargeback.statement.focus.columns import VERSIONS, Version, schema_of
from chargeback.statement.focus.write import write_focus
from chargeback.workspace import Workspace
from tests.bills import MONTH, whole
from tests.focus.programs import BIN, run
from tests.statement.focus.dataset import made

DAY = date(2026, 11, 23)
KNOWN = tomllib.loads((Path(__file__).parent / "known-failures.toml").read_text("utf-8"))
MODEL = "1.2.0.1"
"""The only one that the validator brings along; 1.3 has all columns of 1.2."""
SUPPORTED = (
    "ACCOUNT_NAMING_SUPPORTED",
    "AVAILABILITY_ZONE_SUPPORTED",
    "BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED",
    "MULTIPLE_BILLING_ACCOUNT_TYPES_SUPPORTED",
    "MULTIPLE_SUB_ACCOUNT_TYPES_SUPPORTED",
    "REGION_SUPPORTED",
    "RESOURCE_TYPE_ASSIGNMENT_SUPPORTED",
    "SUB_ACCOUNT_SUPPORTED",
    "TAGGING_SUPPORTED",
    "USAGE_MEASUREMENT_SUPPORTED",
)
"""What the bill can tell: rules that only apply then are asked for."""
LEFT_OUT = {
    "ListUnitPrice",
    "ContractedUnitPrice",
    "PricingCategory",
    "PricingCurrency",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "SkuPriceId",
    "SkuPriceDetails",
    "CapacityReservationId",
    "CapacityReservationStatus",
    "ContractApplied",
}
"""As chargeback/statement/focus/columns.py says; all are conditional."""
FAILURE = re.compile(r"^❌ ([\w-]+): FAIL +\(violations=\d+, msg=(.*)", re.MULTILINE)
REPEATS = re.compile(r"(AND|OR) failed")
SUMMARY = re.compile(r"Total: \d+ \| Pass: (\d+) \| Fail: \d+ ")


def failing(file: Path) -> set[str]:
    """The rules that a file fails; what only repeats that one of its parts failed is none."""
    said = run(
        BIN / "focus-validator",
        *("--data-file", file),
        *("--validate-version", MODEL),
        *("--applicability-criteria", ",".join(SUPPORTED)),
        "--block-download",
    )
    summary = SUMMARY.search(said)
    assert summary
    assert int(summary[1]) > 200  # of 578 rules: the others are no program's to check
    return {rule for rule, why in FAILURE.findall(said) if not REPEATS.search(why)}


def known(bill: str) -> set[str]:
    return {rule for rule, said in KNOWN.items() if bill in said["files"]}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[Version, str], Path]:
    """By version and bill: a month of the demo, and a small bill with every kind of line."""
    folder = tmp_path_factory.mktemp("focus")
    write_demo(folder / "cur", today=DAY, months=2, lines=300)
    workspace = Workspace(Settings(cur=folder / "cur", store=folder / "store"))
    workspace.refresh()
    answers, rules = workspace.answers(), AllocationSettings.model_validate(ALLOCATION)
    statement = build_statement(answers, whole(MONTH), "tenant", DAY, rules)
    found: dict[tuple[Version, str], Path] = {}
    for version in VERSIONS:
        demo = write_focus(answers, statement, version, folder / "demo")
        _, kinds = made(folder / f"kinds-{version}", version)
        found |= {(version, "demo"): demo.parquet, (version, "kinds"): kinds.parquet}
    return found


@pytest.mark.parametrize("bill", ["demo", "kinds"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_fails_no_rule_but_those_that_are_known_to_be_wrong(
    files: dict[tuple[Version, str], Path], version: Version, bill: str
) -> None:
    assert failing(files[version, bill]) == known(bill)


def test_a_file_that_is_wrong_is_found_out(
    files: dict[tuple[Version, str], Path], tmp_path: Path
) -> None:
    table = parquet.read_table(files["1.2", "kinds"])
    at = table.schema.get_field_index("BilledCost")
    cost = table.column("BilledCost")
    nothing = compute.if_else(compute.greater(cost, 5), None, cost)
    parquet.write_table(table.set_column(at, "BilledCost", nothing), tmp_path / "wrong.parquet")
    assert failing(tmp_path / "wrong.parquet") - known("kinds") == {"BilledCost-C-003-M"}


@pytest.mark.parametrize("bill", ["demo", "kinds"])
@pytest.mark.parametrize("version", VERSIONS)
def test_another_program_makes_focus_1_4_of_it_and_finds_no_fault(
    files: dict[tuple[Version, str], Path], version: Version, bill: str, tmp_path: Path
) -> None:
    said = run(
        BIN / "focus-toolkit",
        "convert",
        *("--cost-and-usage", files[version, bill]),
        *("--source-version", version),
        *("--source-dataset", "cost-and-usage"),
        *("--out", tmp_path / "newer"),
        *("--exit-policy", "pipeline"),
    )
    assert "lint [Cost and Usage]: lint OK" in said


@pytest.mark.parametrize("version", VERSIONS)
def test_columns_are_the_versions_own_in_its_order(version: Version) -> None:
    module = f"focus_data_toolkit.generators.versions.v{version.replace('.', '_')}"
    code = f"import json; from {module} import COLUMNS; print(json.dumps(COLUMNS))"
    source: Sequence[str] = json.loads(run(BIN / "python", "-c", code))
    ours = [name for name in schema_of(version).names if not name.startswith("x_")]
    assert ours == [name for name in source if name not in LEFT_OUT]
