"""The preview of an owner list agrees with the figures before and after it is saved."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from chargeback.attribution.attribution import Attribution
from chargeback.attribution.owner_list import OwnerList
from chargeback.attribution.owner_review import Caller
from chargeback.attribution.owners import OwnerRow, read_owners
from chargeback.attribution.rules import AttributionRules
from chargeback.demo import write_demo
from chargeback.enrichment.local import enrich
from chargeback.enrichment.owner_facts import OwnerFacts
from chargeback.settings import Settings
from chargeback.workspace import Workspace

NOW = "iam_principal,team,effective_from\narn:aws:iam::*:role/llm-gateway,gateway,\n"
THEN = f"{NOW}*,everyone,2026-10-10\n"
NET, UNBLENDED = "net", "unblended"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three months; the oldest has net costs that the bill is the sum of."""
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder / "cur", today=date(2026, 11, 23), months=3, lines=400)
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "owners.csv"
    file.write_text(NOW, "utf-8")
    return file


def facts(demo: Path, file: Path, cost_basis: str = "auto") -> OwnerFacts:
    team = ["iamPrincipal/team", {"owners": file}]
    settings = Settings(
        cur=demo / "cur",
        store=demo / f"store-{cost_basis}",
        cost_basis=cost_basis,  # type: ignore[arg-type]
        attribution=AttributionRules(team=team),
    )
    workspace = Workspace(settings)
    workspace.refresh()
    found = workspace.owner_facts()
    assert found is not None
    return found


def as_pages_have_it(facts: OwnerFacts, dimension: str) -> dict[tuple[str, str], Decimal]:
    """Cost by month and unit, of the rows that reports read."""
    sums: dict[tuple[str, str], Decimal] = {}
    for period in facts.periods:
        rows = duckdb.read_parquet(str(enrich(period, facts.rules).daily))
        for unit, cost in rows.aggregate(f"{dimension}, SUM(cost)").fetchall():
            sums[period.manifest.billing_period, unit] = cost
    return sums


@pytest.mark.parametrize("basis", ["auto", NET, UNBLENDED])
@pytest.mark.parametrize("dimension", ["team", "tenant"])
def test_the_preview_is_what_pages_show_before_and_after(
    demo: Path, file: Path, basis: str, dimension: str
) -> None:
    state = facts(demo, file, basis)
    before = as_pages_have_it(state, dimension)
    (now, then) = (
        Attribution(state.rules.attribution, {file: OwnerList("x", rows)})
        for rows in (read_owners(file), _rows(file, THEN))
    )
    previewed = {
        (month, unit.name): (moved.now, moved.then)
        for month, units in state.preview(now, then, months=3).items()
        for unit, moved in units.items()
        if unit.dimension == dimension
    }
    after = as_pages_have_it(state, dimension)
    assert {key for key, (_, cost) in previewed.items() if cost} == {
        k for k, c in after.items() if c
    }
    for key, (was, will) in previewed.items():
        assert (was, will) == (before.get(key, 0), after.get(key, 0)), key
    assert (before != after) is (dimension == "team")


def _rows(file: Path, text: str) -> list[OwnerRow]:
    file.write_text(text, "utf-8")
    return read_owners(file)


def test_callers_are_those_of_all_months_with_their_days(demo: Path, file: Path) -> None:
    state = facts(demo, file)
    rows = [
        row
        for period in state.periods
        for row in duckdb.read_parquet(str(period.spend))
        .aggregate("usage_account_id, iam_principal, MIN(usage_date), MAX(usage_date)")
        .fetchall()
    ]
    expected: dict[Caller, list[tuple[date, date]]] = {}
    for account, principal, first, last in rows:
        expected.setdefault(Caller(account, principal), []).append((first, last))
    assert state.callers == expected
    assert state.months == ["2026-11", "2026-10", "2026-09"]


def test_only_so_many_months_are_previewed(demo: Path, file: Path) -> None:
    state = facts(demo, file)
    held = Attribution(state.rules.attribution)
    assert list(state.preview(held, held, months=2)) == ["2026-11", "2026-10"]


def test_what_is_asked_needs_no_list_that_can_be_used(demo: Path, file: Path) -> None:
    file.write_text("broken", "utf-8")
    assert facts(demo, file).callers
