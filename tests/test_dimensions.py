"""A further dimension is a row in the table and a column in five statements: then it is everywhere.

The product is copied, the row and the columns are put in as CONTRIBUTING says, and the copy is used
in processes of its own.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chargeback.dimensions import BY_NAME, CHARGED, DIMENSIONS, FILTERS
from tests.bills import MONTH, line, write_bill

ROOT = Path(__file__).resolve().parents[1]
ROW = '''
    Dimension(
        "environment",
        "environment",
        "environments",
        "Environment",
        tag="iamPrincipal/environment",
        filter_order=9,
        charged_as="environment",
        is_split=True,
    ),
    Dimension("provider"'''
COLUMNS = {
    "store/daily.sql": ("  i.cost_center,\n", "  i.environment,\n"),
    "store/monthly.sql": ("  cost_center,\n", "  environment,\n"),
    "reports/scope.sql": (
        "  AND COALESCE(contains(CAST(:team AS ARRAY(VARCHAR)), team), TRUE)\n",
        "  AND COALESCE(contains(CAST(:environment AS ARRAY(VARCHAR)), environment), TRUE)\n",
    ),
    "reports/by_unit.sql": (
        "    WHEN :dimension = 'team' THEN team\n",
        "    WHEN :dimension = 'environment' THEN environment\n",
    ),
    "reports/by_caller.sql": (
        "      WHEN :attributed = 'team' THEN team\n",
        "      WHEN :attributed = 'environment' THEN environment\n",
    ),
}
"""A statement, a line of it, and the line that comes after."""
PAGES = """
import json, sys
from streamlit.testing.v1 import AppTest

def opened(page, **parameters):
    app = AppTest.from_file("app.py", default_timeout=120)
    app.run()
    app.switch_page(f"pages/{page}.py")
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app

def rows(app, what):
    drawn = [table.proto.json for table in app.get("bidi_component")]
    tables = [json.loads(each) for each in drawn if each]
    (found,) = (table for table in tables if table.get("what") == what)
    columns = {column["name"]: column for column in found["columns"]}
    return dict(zip(columns["name"]["texts"], columns["cost"]["values"]))

teams = opened("teams", month="2026-10")
narrowed = opened("teams", month="2026-10", environment="prod")
below = opened("teams", month="2026-10", at="team:search", by="environment")
charged = opened("chargeback", month="2026-10", charge_to="environment")
print(json.dumps({
    "filter": next(list(m.options) for m in teams.sidebar.multiselect if m.label == "Environment"),
    "teams": rows(narrowed, "Teams by spend"),
    "below": rows(below, "Environments by spend"),
    "splits": list(below.segmented_control[0].options),
    "charge_to": list(charged.segmented_control("charge_to").options),
}))
"""


def put_in(file: Path, after: str, added: str) -> None:
    text = file.read_text()
    assert after in text, file
    file.write_text(text.replace(after, after + added, 1))


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the product with one dimension more."""
    copy = tmp_path_factory.mktemp("product")
    for name in ("chargeback", "pages", "queries", ".streamlit"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", copy)
    table = copy / "chargeback" / "dimensions.py"
    table.write_text(table.read_text().replace('\n    Dimension("provider"', ROW, 1))
    for name, lines in COLUMNS.items():
        put_in(copy / "queries" / name, *lines)
    monthly = copy / "queries" / "store" / "monthly.sql"
    monthly.write_text(monthly.read_text().replace("33, 34, 35\n", "33, 34, 35, 36\n"))
    return copy


@pytest.fixture(scope="module")
def run(product: Path) -> subprocess.CompletedProcess[str]:
    """An export by the new dimension."""
    lines = [
        line("10.00", team="search", tags_environment="prod"),
        line("5.00", team="ads", tags_environment="prod"),
        line("2.50", team="search", tags_environment="test"),
        line("1.25", team="search"),
    ]
    for each in lines:
        if environment := each.pop("tags_environment", None):
            each["tags"] = {**each["tags"], "iamPrincipal/environment": environment}
    write_bill(product / "cur", {MONTH: lines})
    arguments = ("export", "--month", MONTH, "--by", "environment", "--out", "out")
    return use(product, "-m", "chargeback", *arguments)


def use(product: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    ours = {name: text for name, text in os.environ.items() if not name.startswith("CHARGEBACK")}
    places = {"CHARGEBACK_CUR": str(product / "cur"), "CHARGEBACK_STORE": str(product / "store")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=product,
        env={**ours, **places, "PYTHONPATH": str(product), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def charged(product: Path) -> dict[str, str]:
    file = product / "out" / f"chargeback-environment-{MONTH}.csv"
    rows = csv.DictReader(file.read_text("utf-8-sig").splitlines())
    return {row["bill_to"]: row["total_charge"] for row in rows}


def test_it_is_charged(product: Path, run: subprocess.CompletedProcess[str]) -> None:
    assert run.returncode == 0, run.stderr
    assert charged(product) == {"prod": "15.00", "test": "2.50", "(unallocated)": "1.25"}


def test_its_rules_can_be_set(product: Path, run: subprocess.CompletedProcess[str]) -> None:
    assert run.returncode == 0, run.stderr
    arguments = ("export", "--month", MONTH, "--by", "environment", "--out", "out")
    rules = json.dumps(["iamPrincipal/environment", "account"])
    set_so = use(product, "-m", "chargeback", *arguments, CHARGEBACK_ATTRIBUTION__ENVIRONMENT=rules)
    assert set_so.returncode == 0, set_so.stderr
    assert charged(product) == {
        "111122223333": "1.25",
        "prod": "15.00",
        "test": "2.50",
        "(unallocated)": "0.00",
    }


def test_an_owner_list_may_name_it(
    product: Path, run: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    assert run.returncode == 0, run.stderr
    owners = tmp_path / "owners.csv"
    owners.write_text("iam_principal,environment\n*,staging\n")
    arguments = ("export", "--month", MONTH, "--by", "environment", "--out", "out")
    rules = json.dumps([{"owners": str(owners)}])
    listed = use(product, "-m", "chargeback", *arguments, CHARGEBACK_ATTRIBUTION__ENVIRONMENT=rules)
    assert listed.returncode == 0, listed.stderr
    assert charged(product) == {"staging": "18.75", "(unallocated)": "0.00"}


def test_pages_filter_split_and_charge_by_it(
    product: Path, run: subprocess.CompletedProcess[str]
) -> None:
    assert run.returncode == 0, run.stderr
    shown = use(product, "-c", PAGES)
    assert shown.returncode == 0, shown.stderr[-2000:]
    found = json.loads(shown.stdout.splitlines()[-1])
    assert found["filter"] == ["prod", "test", "(unallocated)"]
    assert {name: float(cost) for name, cost in found["teams"].items()} == {"search": 10, "ads": 5}
    assert {name: float(cost) for name, cost in found["below"].items()} == {
        "prod": 10,
        "test": 2.5,
        "(unallocated)": 1.25,
    }
    assert "Environments" in found["splits"]
    assert "Environment" in found["charge_to"]


def test_the_table_names_each_once() -> None:
    assert len(BY_NAME) == len(DIMENSIONS)
    assert len({dimension.filter_order for dimension in FILTERS}) == len(FILTERS)
    assert all(each.plural and each.label for each in DIMENSIONS)


def test_a_row_of_each_statement_leads_to_a_page_of_its_own_dimension() -> None:
    leads = {by: (Path(each.detail_page).stem, each.name) for by, each in CHARGED.items()}
    assert leads == {
        "tenant": ("tenants", "tenant"),
        "team": ("teams", "team"),
        "project": ("projects", "project"),
        "cost_center": ("cost_centers", "cost_center"),
        "principal": ("principals", "iam_principal"),
        "account": ("principals", "account"),
        "model": ("models", "model"),
    }
