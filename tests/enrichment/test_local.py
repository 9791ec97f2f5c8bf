"""What lines mean under the rules in force: worked out once, without touching the bill."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pytest
from pyarrow import parquet

from chargeback.access.rows import EVERYTHING
from chargeback.attribution.rules import AttributionRules
from chargeback.demo import write_demo
from chargeback.dimensions import UNALLOCATED
from chargeback.enrichment import local_tables
from chargeback.enrichment.delivery import delivery_comparison
from chargeback.enrichment.local import enrich
from chargeback.enrichment.rules import Rules
from chargeback.errors import UsageProblem
from chargeback.files.atomic import sha256_of
from chargeback.reports.answers import Answers
from chargeback.reports.view import View
from chargeback.sources.local.files import LocalFiles
from chargeback.store.base import Refresh
from chargeback.store.local import LocalPeriod, LocalStore

MONTH = "2026-10"
MIDDLE = date(2026, 10, 15)
DEFAULT = ["iamPrincipal/team"]
ROLE = "arn:aws:iam::*:role/*"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> LocalPeriod:
    """October 2026, as billed: with its discounts as lines, like all but the two oldest months."""
    folder = tmp_path_factory.mktemp("bill")
    write_demo(folder / "cur", today=date(2026, 11, 23), months=4, lines=300)
    source, store = LocalFiles(folder / "cur"), LocalStore(folder / "store")
    (october,) = (p for p in source.periods() if p.billing_period == MONTH)
    store.refresh(source, [october], Refresh(delivery_comparison(rules())))
    (period,) = store.periods(source.source_id)
    return period


@pytest.fixture
def period(stored: LocalPeriod, tmp_path: Path) -> LocalPeriod:
    """A copy whose meaning no test has worked out yet."""
    return LocalPeriod(shutil.copytree(stored.folder, tmp_path / "version"), stored.manifest)


def rules(*team: object, basis: Literal["auto", "unblended", "net"] = "auto") -> Rules:
    return Rules(AttributionRules.model_validate({"team": team or DEFAULT}), basis)


def owners(folder: Path, *rows: str) -> dict[str, Path]:
    file = folder / "owners.csv"
    file.write_text("\n".join(("iam_principal,team,effective_from", *rows)), "utf-8")
    return {"owners": file}


def daily(period: LocalPeriod, held: Rules) -> pa.Table:
    return parquet.read_table(enrich(period, held).daily)


def total(column: pa.ChunkedArray) -> Decimal:
    return sum(column.to_pylist(), Decimal())


def as_written(period: LocalPeriod) -> LocalPeriod:
    """The period whose facts a test has written: they are what its manifest says."""
    digest = {"spend_sha256": sha256_of(period.spend)}
    return LocalPeriod(period.folder, period.manifest.model_copy(update=digest))


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below a folder, so that a rewritten one is another."""
    stats = ((file, file.stat()) for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): (s.st_ino, s.st_mtime_ns) for file, s in stats}


def test_a_line_without_a_date_keeps_its_row_and_its_owner(
    period: LocalPeriod, tmp_path: Path
) -> None:
    spend = parquet.read_table(period.spend)
    undated = pa.nulls(len(spend), spend.schema.field("usage_date").type)
    at = spend.column_names.index("usage_date")
    parquet.write_table(spend.set_column(at, "usage_date", undated), period.spend)
    row = f"{ROLE},from-the-list,{MONTH}-01"
    told = daily(as_written(period), rules(owners(tmp_path, row)))
    assert len(told) == len(spend)
    assert total(told["unblended_cost"]) == total(spend["unblended_cost"])


def test_the_same_rules_are_worked_out_once(period: LocalPeriod) -> None:
    first = enrich(period, rules())
    before = state(period.folder)
    assert enrich(period, rules()) == first
    assert state(period.folder) == before


def test_other_rules_give_other_teams_and_leave_the_bill_alone(period: LocalPeriod) -> None:
    by_tag = daily(period, rules())
    before = state(period.folder)
    by_account = daily(period, rules("account"))
    assert by_account["team"].to_pylist() != by_tag["team"].to_pylist()
    assert set(by_account["team"].to_pylist()) - {UNALLOCATED} <= set(
        by_account["usage_account_id"].to_pylist()
    )
    after = state(period.folder)
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize(
    "team",
    [
        DEFAULT,
        ["resourceTags/team", "iamPrincipal/nothing"],
        [{"pattern": "^(?P<value>.)", "on": "principal"}, "account"],
    ],
)
def test_no_rule_loses_a_line_or_a_digit(period: LocalPeriod, team: list[object]) -> None:
    (bill,) = period.manifest.totals
    meaning = enrich(period, rules(*team))
    daily, monthly = parquet.read_table(meaning.daily), parquet.read_table(meaning.monthly)
    assert total(daily["cost"]) == total(monthly["cost"]) == bill.unblended_total
    assert sum(daily["line_count"].to_pylist()) == period.manifest.lines_read


def test_an_owner_list_that_begins_mid_month_splits_nothing_twice(
    period: LocalPeriod, tmp_path: Path
) -> None:
    listed = rules(owners(tmp_path, f"*,everyone,{MIDDLE}"))
    table = daily(period, listed)
    assert len(table) == period.manifest.rows_kept
    assert total(table["cost"]) == period.manifest.totals[0].unblended_total
    for row in table.select(["usage_date", "iam_principal", "team"]).to_pylist():
        listed_then = row["usage_date"] >= MIDDLE and row["iam_principal"]
        assert row["team"] == ("everyone" if listed_then else UNALLOCATED)


def test_the_basis_decides_what_a_line_costs(stored: LocalPeriod, tmp_path: Path) -> None:
    """Half of each line's cost as its net cost, where AWS filled one; a discount's else is 0."""
    folder = shutil.copytree(stored.folder, tmp_path / "net")
    table = parquet.read_table(stored.spend)
    costs = table["unblended_cost"].to_pylist()
    net = [None if at % 2 else (cost / 2).quantize(cost) for at, cost in enumerate(costs)]
    at = table.column_names.index("net_unblended_cost")
    column = pa.array(net, table.schema.field(at).type)
    parquet.write_table(
        table.set_column(at, "net_unblended_cost", column), folder / "spend.parquet"
    )
    changed = as_written(LocalPeriod(folder, stored.manifest))
    discount = [type_.endswith("Discount") for type_ in table["line_item_type"].to_pylist()]
    absent = [0 if is_one else cost for is_one, cost in zip(discount, costs, strict=True)]
    expected = sum(
        (cost if half is None else half for cost, half in zip(absent, net, strict=True)), Decimal()
    )
    assert total(daily(changed, rules(basis="net"))["cost"]) == expected
    assert total(daily(changed, rules(basis="unblended"))["cost"]) == sum(costs, Decimal())


def test_the_fingerprint_tells_rules_apart_and_equal_ones_not(tmp_path: Path) -> None:
    listed = owners(tmp_path, "*,a,")
    different = [
        rules(),
        rules("account", *DEFAULT),
        rules(*DEFAULT, "account"),
        rules(basis="net"),
        rules(listed),
    ]
    assert len({each.fingerprint for each in different}) == len(different)
    assert rules(*DEFAULT).fingerprint == rules().fingerprint
    before = rules(listed).fingerprint
    os.utime(listed["owners"], (0, 0))
    assert rules(listed).fingerprint == before
    assert rules(owners(tmp_path, "*,b,")).fingerprint != before


def test_a_note_in_an_owner_list_works_nothing_out_anew(tmp_path: Path) -> None:
    file = tmp_path / "owners.csv"
    keys = []
    for text in ("team,note\n*,a,\n", "team,note\n*,a,asked Ann\n", "team,note\n\n*,a,\n"):
        file.write_text(f"iam_principal,{text}", "utf-8")
        keys.append(rules({"owners": file}).cache_key)
    assert keys[0] == keys[1]
    assert keys[2] != keys[0], "notices name lines"


def test_a_list_that_changes_within_a_moment_is_read_anew(tmp_path: Path) -> None:
    listed = owners(tmp_path, "*,a,")
    before = rules(listed).fingerprint
    about = listed["owners"].stat()
    owners(tmp_path, "*,b,")
    os.utime(listed["owners"], ns=(about.st_atime_ns, about.st_mtime_ns))
    assert rules(listed).fingerprint != before


def test_an_edited_owner_list_counts_at_once(period: LocalPeriod, tmp_path: Path) -> None:
    for team in ("first", "検索"):
        listed = rules(owners(tmp_path, f"*,{team},"))
        assert set(daily(period, listed)["team"].to_pylist()) == {team, UNALLOCATED}


@pytest.mark.parametrize("broken", ["missing", "a folder", "wrong"])
def test_an_owner_list_that_cannot_be_used_is_named_and_leaves_nothing_behind(
    period: LocalPeriod, tmp_path: Path, broken: str
) -> None:
    file = tmp_path / "owners.csv"
    if broken == "a folder":
        file.mkdir()
    elif broken == "wrong":
        owners(tmp_path, "*,a,yesterday")
    with pytest.raises(UsageProblem, match=r"owners\.csv") as problem:
        enrich(period, rules({"owners": file}))
    assert str(tmp_path) not in str(problem.value)
    assert {path.name for path in period.folder.iterdir()} == {"spend.parquet", "manifest.json"}


def test_several_at_once_agree_and_leave_one(period: LocalPeriod) -> None:
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: enrich(period, rules()), range(3)))
    assert len(set(found)) == 1
    assert total(parquet.read_table(found[0].daily)["cost"]) == (
        period.manifest.totals[0].unblended_total
    )
    assert len(list(period.folder.iterdir())) == len(["spend.parquet", "manifest.json", "enriched"])


def test_the_newest_four_are_kept(period: LocalPeriod) -> None:
    names = ["a/1", "a/2", "a/3", "a/4", "a/5"]
    made = [enrich(period, rules(name)).daily.parent for name in names]
    assert {path for path in made if path.exists()} == set(made[1:])


@pytest.mark.parametrize("most", [0, 10**9])
def test_a_month_too_large_for_memory_answers_from_its_file(
    period: LocalPeriod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(local_tables, "MOST_IN_MEMORY", most)
    tables = local_tables.LocalTables(LocalStore(tmp_path), [period], rules())
    view = View.of_month(MONTH, EVERYTHING)
    found = Answers([period], rules(), tables).ask("charges", "monthly", view, dimension="team")
    assert total(found["total_charge"]) == total(daily(period, rules())["cost"])
