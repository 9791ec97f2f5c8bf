"""No question reads past the rows that whoever looks may see."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from chargeback import query, reports, statement
from chargeback.access.rows import EVERYTHING, Rows
from chargeback.attribution.rules import AttributionRules
from chargeback.dimensions import BY_NAME, CHARGED, WITH_SOURCE
from chargeback.reports.answers import Answers
from chargeback.reports.bridge import bridge, bridges_by_unit
from chargeback.reports.cache_savings import cache_savings
from chargeback.reports.callers import gateways
from chargeback.reports.causes import causes, causes_by_unit
from chargeback.reports.charges import (
    allocation_lines,
    bill_by_product,
    billed_elsewhere,
    charges_by_unit,
    detail,
    focus_charges,
    invoice_charges,
    invoice_totals,
    payers,
    unit_parts,
)
from chargeback.reports.coverage import coverage_by_month, deciding_sources, tags_seen
from chargeback.reports.cur_lines import cur_lines
from chargeback.reports.daily import daily_trend, list_days, undated_by_kind
from chargeback.reports.leading import leading_units
from chargeback.reports.movement import (
    days_of_callers,
    movement,
    movement_by_unit,
    subject_of,
)
from chargeback.reports.movers import movers
from chargeback.reports.overview import moved_most, overview
from chargeback.reports.ranking import (
    CALLERS,
    filter_options,
    name_of,
    rank,
    rank_alike,
    rank_by_each,
    top_models,
)
from chargeback.reports.restatement import changed_lines, restatement_lines
from chargeback.reports.summary import summarise, totals_by_month
from chargeback.reports.tags import disagreements, spellings, unused_keys
from chargeback.reports.unallocated import internal_use, reasons, unallocated_callers
from chargeback.reports.usage_days import usage_days
from chargeback.reports.usage_mix import unrecognised, usage_mix
from chargeback.reports.view import View
from chargeback.settings import Settings
from chargeback.workspace import Workspace
from tests.bills import MONTH, OTHER_PAYER, line, write_bill

TODAY = date(2026, 12, 1)
BEFORE = "2026-09"
MINE, OTHERS = "acme-corp", "globex"
SESSIONS = "arn:aws:sts::111122223333:assumed-role"
ONLY_MINE = Rows((("tenant", (MINE,)),))
TWO_TAGS = AttributionRules(project=["iamPrincipal/tenant", "iamPrincipal/team"])
"""By which there is something that tags disagree about."""

STATEMENTS = sorted(path.stem for path in (query.QUERIES / "reports").glob("*.sql"))
STEPS = {"scope", "by_unit", "by_caller", "unallocated"}
"""What a statement may begin with: all hold the conditions of whoever looks."""

ABOUT_THE_MONTH = {
    "notices_of": "what is odd about the bill, whoever looks",
    "status_of": "whether the month is invoiced, whoever looks",
    "ties": "whether all that is shown is all that was read",
}
"""Functions that say nothing of rows, and why they need no view, or compare it with the bill."""


def lines_of(tenant: str, more: int) -> list[dict[str, Any]]:
    """Of every kind, with callers, teams, meters, days, payers, invoices of their own."""
    about: dict[str, Any] = {"tenant": tenant, "team": f"team of {tenant}"}
    about["principal"] = f"arn:aws:iam::111122223333:role/{tenant}"
    odd = f"USE1-Unheard{more}-of-thing"
    return [
        line(f"{10 + more}.25", day=3 + more, **about),
        line(f"{20 + more}.50", day=9, line_item_usage_type="USE1-NovaLite-input-tokens", **about),
        line(f"0.{more}5", line_item_usage_type="USE1-NovaPro-cache-read-tokens", **about),
        line(f"{1 + more}.00", line_item_usage_type=odd, pricing_unit="things", **about),
        line(f"{2 + more}.75", "Tax", invoice=f"INV-{more}", **about),
        line(f"-{more}.10", "Credit", payer=OTHER_PAYER if more == 4 else "999900000001", **about),
        line("3.00", currency="EUR", account=f"11112222333{more}", **about),
        *(
            line(f"0.{more}1", principal=f"{SESSIONS}/gateway-of-{tenant}/{who}", tenant=tenant)
            for who in ("ann", "bob", "cem", "dee", "eve")
        ),
        *(line(f"0.{more}2", cost_center=spelled, **about) for spelled in ("CC-1", "cc 1")),
    ]


def answers_to(folder: Path, tenants: tuple[tuple[str, int], ...]) -> tuple[Workspace, Answers]:
    """A store over two months of these tenants' lines."""
    lines = [each for tenant in tenants for each in lines_of(*tenant)]
    early = [
        {**each, "line_item_usage_start_date": each["line_item_usage_start_date"].replace(month=9)}
        for each in lines
    ]
    firsts = early[:: len(early) // len(tenants)]
    late = [*lines, *firsts]  # usage of September that is billed in October
    late += [line("7.00", team="a team of no tenant")]
    cur = write_bill(folder / "cur", {BEFORE: early[: len(early) - 1], MONTH: late})
    workspace = Workspace(Settings(cur=cur, store=folder / "store", attribution=TWO_TAGS))
    workspace.refresh()
    return workspace, workspace.answers()


@pytest.fixture(scope="module")
def everyones(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Answers]:
    return answers_to(tmp_path_factory.mktemp("everyones"), ((OTHERS, 4), (MINE, 1)))


@pytest.fixture(scope="module")
def mine_alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Answers]:
    """The same bill, had nobody else been on it: September's last line is then of mine as well."""
    folder = tmp_path_factory.mktemp("mine")
    mine = lines_of(MINE, 1)
    early = [
        {**each, "line_item_usage_start_date": each["line_item_usage_start_date"].replace(month=9)}
        for each in mine
    ]
    cur = write_bill(folder / "cur", {BEFORE: early[:-1], MONTH: [*mine, early[0]]})
    workspace = Workspace(Settings(cur=cur, store=folder / "store", attribution=TWO_TAGS))
    workspace.refresh()
    return workspace, workspace.answers()


Ask = Callable[[Workspace, Answers, View], object]

CALLS: dict[str, Ask] = {
    "allocation_lines": lambda _, a, v: allocation_lines(
        a, v, "team", ["iam_principal", "model", "tenant"]
    ),
    "bill_by_product": lambda _, a, v: bill_by_product(a, v, date(2026, 10, 5)),
    "billed_elsewhere": lambda _, a, v: billed_elsewhere(a, View(BEFORE, v.currency, v.rows)),
    "cache_savings": lambda _, a, v: cache_savings(a, v),
    "charges_by_unit": lambda _, a, v: [
        charges_by_unit(a, View.of_month(v.month, v.rows), each.name) for each in CHARGED.values()
    ],
    "cur_lines": lambda w, a, v: cur_lines(a, w.source, v, None, 0),
    "daily_trend": lambda _, a, v: daily_trend(a, v, "team", [f"team of {MINE}"]),
    "coverage_by_month": lambda _, a, v: coverage_by_month(a, v),
    "deciding_sources": lambda _, a, v: deciding_sources(a, v),
    "detail": lambda _, a, v: detail(a, View.of_month(v.month, v.rows)).read_all(),
    "disagreements": lambda _, a, v: disagreements(a, v, "project"),
    "filter_options": lambda _, a, v: filter_options(a, v),
    "focus_charges": lambda _, a, v: [
        focus_charges(a, View.of_month(v.month, v.rows), each).read_all() for each in BY_NAME
    ],
    "gateways": lambda _, a, v: gateways(a, v, "team"),
    "internal_use": lambda _, a, v: internal_use(a, v),
    "invoice_charges": lambda _, a, v: invoice_charges(a, View.of_month(v.month, v.rows)),
    "invoice_totals": lambda _, a, v: invoice_totals(a, View.of_month(v.month, v.rows)),
    "leading_units": lambda _, a, v: [leading_units(a, v, each, 9) for each in BY_NAME],
    "list_days": lambda _, a, v: list_days(a, v),
    "bridge": lambda _, a, v: bridge(a, v),
    "bridges_by_unit": lambda _, a, v: bridges_by_unit(
        a, subject_of(v.narrowed("model", "Nova Pro"))
    ),
    "causes": lambda _, a, v: list(causes(a, v)),
    "causes_by_unit": lambda _, a, v: causes_by_unit(
        a, subject_of(v.narrowed("model", "Nova Pro"))
    ),
    "days_of_callers": lambda _, a, v: days_of_callers(a, subject_of(v), movement(a, v)),
    "movement": lambda _, a, v: movement(a, v.narrowed("tenant", MINE)) + movement(a, v),
    "movement_by_unit": lambda _, a, v: movement_by_unit(
        a, subject_of(v.narrowed("model", "Nova Pro"))
    ),
    "movers": lambda _, a, v: movers(a, v, "model", rank(a, v, "model")),
    "moved_most": lambda _, a, v: moved_most(a, v, date(2026, 10, 9), "tenant"),
    "name_of": lambda _, a, v: [name_of(a, v, "tenant", unit) for unit in (MINE, "none")],
    "overview": lambda _, a, v: {
        name: of
        for name, of in vars(overview(a, v, date(2026, 10, 9))).items()
        if name != "like_for_like"  # the view itself
    },
    "payers": lambda _, a, v: payers(a, v),
    "rank": lambda _, a, v: [rank(a, v.first_days(10), each) for each in BY_NAME],
    "rank_alike": lambda _, a, v: rank_alike(a, v.first_days(10), CALLERS, rank(a, v, CALLERS)),
    "rank_by_each": lambda _, a, v: rank_by_each(a, v, list(BY_NAME)),
    "reasons": lambda _, a, v: [reasons(a, v, each.name) for each in WITH_SOURCE],
    "restatement_lines": lambda _, a, v: restatement_lines(
        a, v, "tenant", ["team", "cost_center"]
    ).read_all(),
    "spellings": lambda _, a, v: spellings(a, v, "cost_center"),
    "summarise": lambda _, a, v: summarise(a, v, date(2026, 10, 9)),
    "tags_seen": lambda _, a, v: tags_seen(a, v.since(BEFORE)),
    "top_models": lambda _, a, v: top_models(a, v, "team", rank(a, v, "team")),
    "totals_by_month": lambda _, a, v: totals_by_month(a, v),
    "unallocated_callers": lambda _, a, v: unallocated_callers(a, v, "cost_center", "no-tag", 9),
    "undated_by_kind": lambda _, a, v: undated_by_kind(a, v),
    "unit_parts": lambda _, a, v: [
        unit_parts(a, View.of_month(v.month, v.rows), each.name, part, 2)
        for each in CHARGED.values()
        for part in ("principal", "model", "token_type")
    ],
    "unrecognised": lambda _, a, v: unrecognised(a, v),
    "unused_keys": lambda _, a, v: unused_keys(a, v, AttributionRules(team=["account"])),
    "usage_days": lambda _, a, v: usage_days(a, v, "team", [date(2026, 10, 9), date(2026, 10, 4)]),
    "usage_mix": lambda _, a, v: usage_mix(a, v),
}


def plain(answer: object) -> object:
    """An answer that can be compared."""
    if isinstance(answer, pd.DataFrame):
        return answer.to_dict("list")
    if isinstance(answer, pa.Table):
        return answer.to_pylist()
    if isinstance(answer, dict):
        return {key: plain(value) for key, value in answer.items()}
    return [plain(each) for each in answer] if isinstance(answer, list) else answer


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_reads_nothing_but_the_scope(name: str) -> None:
    tree = sqlglot.parse_one((query.QUERIES / "reports" / f"{name}.sql").read_text(), read="athena")
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    read = {table.name for table in tree.find_all(exp.Table)} - own
    assert read == {"enriched"} if name == "scope" else read <= STEPS and read


def questions() -> set[str]:
    """Every public function of reports that is given the answers."""
    found = set()
    for module in pkgutil.iter_modules(reports.__path__):
        of = importlib.import_module(f"{reports.__name__}.{module.name}")
        for name, function in inspect.getmembers(of, inspect.isfunction):
            takes = inspect.signature(function).parameters
            if function.__module__ == of.__name__ and "answers" in takes and name[0] != "_":
                found.add(name)
    return found


def test_every_question_is_among_those_that_are_tried() -> None:
    assert questions() == {*CALLS, *ABOUT_THE_MONTH}


@pytest.mark.parametrize("room", [reports, statement])
def test_whatever_asks_is_given_a_view(room: Any) -> None:  # noqa: ANN401  (a module)
    for module in pkgutil.iter_modules(room.__path__):
        of = importlib.import_module(f"{room.__name__}.{module.name}")
        for name, function in inspect.getmembers(of, inspect.isfunction):
            takes = inspect.signature(function).parameters
            if function.__module__ != of.__name__ or "answers" not in takes or name[0] == "_":
                continue
            # A statement and a subject carry the view that they were made of.
            has_view = {"view", "statement", "subject"} & set(takes)
            assert has_view or name in ABOUT_THE_MONTH, f"{of.__name__}.{name}"


@pytest.mark.parametrize("name", CALLS)
def test_a_question_says_what_it_would_if_only_these_rows_were_billed(
    name: str,
    everyones: tuple[Workspace, Answers],
    mine_alone: tuple[Workspace, Answers],
) -> None:
    narrowed = plain(CALLS[name](*everyones, View(MONTH, "USD", ONLY_MINE)))
    assert narrowed == plain(CALLS[name](*mine_alone, View(MONTH, "USD", EVERYTHING)))
    assert OTHERS not in str(narrowed)
    all_rows = plain(CALLS[name](*everyones, View(MONTH, "USD", EVERYTHING)))
    assert narrowed != all_rows or name == "name_of"


def test_two_readings_are_compared_within_what_the_reader_may_see(
    everyones: tuple[Workspace, Answers], mine_alone: tuple[Workspace, Answers]
) -> None:
    view = View(MONTH, "USD", ONLY_MINE)
    found = changed_lines(everyones[1], mine_alone[1], view, "tenant", []).to_pylist()
    assert {(row["cause"], row["unit"]) for row in found} == {("unchanged", MINE)}
    all_rows = replace(view, rows=EVERYTHING)
    more = changed_lines(everyones[1], mine_alone[1], all_rows, "tenant", []).to_pylist()
    assert ("late usage", OTHERS) in {(row["cause"], row["unit"]) for row in more}


def test_a_filter_widens_nothing(everyones: tuple[Workspace, Answers]) -> None:
    _, answers = everyones
    view = View(MONTH, "USD", ONLY_MINE)
    assert rank(answers, view.narrowed("tenant", OTHERS), "team").empty
    assert list(rank(answers, view.narrowed("tenant", MINE), "tenant")["unit"]) == [MINE]


def test_what_one_reader_was_told_no_other_is(everyones: tuple[Workspace, Answers]) -> None:
    _, answers = everyones
    views = [View(MONTH, "USD", rows) for rows in (EVERYTHING, ONLY_MINE, EVERYTHING)]
    sizes = [len(rank(answers, view, "tenant")) for view in views]
    assert sizes == [3, 1, 3]
