"""The questions that pages and the command line ask, answered from the spend store.

Frames hold money as `decimal.Decimal`, in the currency of the view; tokens are single tokens.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache, partial
from typing import Any

import pandas as pd
import pyarrow as pa

from chargeback import query
from chargeback.dimensions import UNALLOCATED
from chargeback.enrichment.bill import Bill, billed_cost
from chargeback.enrichment.rules import Rules
from chargeback.enrichment.tables import Grain, Tables
from chargeback.errors import Problem, SourceProblem, UsageProblem
from chargeback.money import ZERO, per_million, share_of
from chargeback.notices import Notice, blocking, notice
from chargeback.reports.movers import Change, MeterChange, explain
from chargeback.reports.summary import MonthTotals, SoFar, Summary, run_rate
from chargeback.sources.base import Source
from chargeback.sources.products import product_keys
from chargeback.store.base import Period
from chargeback.store.manifest import SCHEMA_VERSION, Manifest, is_news

DIMENSIONS = (
    "tenant",
    "team",
    "project",
    "cost_center",
    "principal",
    "iam_principal",
    "account",
    "provider",
    "model",
    "token_type",
    "service_tier",
    "region",
)
WITHOUT = {"iam_principal": UNALLOCATED, "account": UNALLOCATED, "region": "(no region)"}
"""What readers see for '' on the bill."""
OTHERS = "\0others"
"""Stands for all units without a name of their own; no tag value can hold its first character."""
HISTORY_MONTHS = 13
LINES_PAGE = 200
PROVISIONAL, INVOICED = "PROVISIONAL", "INVOICED"
ANSWERS_KEPT = 200
"""How many answers a state of the store remembers: a few readers' pages."""


@dataclass(frozen=True, slots=True)
class View:
    """What a reader looks at: one month in one currency, narrowed to some values."""

    month: str
    currency: str
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    days: int | None = None
    """Only usage dated on the first so many days of each month, to compare like with like; None
    for all lines of the bill."""

    def narrowed(self, dimension: str, value: str) -> View:
        """The same view, one level further down."""
        return replace(self, where=(*self.where, (dimension, (value,))))

    def parameters(self) -> dict[str, Any]:
        """The parameters of queries/reports/scope.sql; conditions on one dimension all hold."""
        lists: dict[str, list[str] | None] = dict.fromkeys(DIMENSIONS)
        for dimension, values in self.where:
            held = lists[dimension]
            if values:
                lists[dimension] = [value for value in values if held is None or value in held]
        for dimension, name in WITHOUT.items():
            lists[dimension] = _as_billed(lists[dimension], name)
        return {
            "month": self.month,
            "first_month": self.month,
            "currency": self.currency,
            "days": self.days,
            **lists,
        }


@dataclass(frozen=True)
class Reports:
    """Answers over one state of the store. Read-only and safe to share between threads."""

    periods: Sequence[Period]
    rules: Rules
    tables: Tables = field(repr=False, compare=False)
    bill_notices: tuple[Notice, ...] = ()
    """What is odd about the bill as a whole, whatever the month."""

    @property
    def months(self) -> list[str]:
        """The billing periods that can be shown, newest first."""
        stored = (period.manifest.billing_period for period in self.periods)
        return [month for month in stored if month not in self.problems]

    @property
    def problems(self) -> Mapping[str, SourceProblem]:
        """The billing periods that are in the store and can't be shown now, and why."""
        return self.tables.problems

    def manifest(self, month: str) -> Manifest:
        """Where the month's figures come from. Raises UsageProblem if it isn't there."""
        return self._period(month).manifest

    def bill(self, month: str) -> Bill:
        """What the month comes to, and on which basis. Raises UsageProblem if it isn't there."""
        self._period(month)
        return self.tables.bills[month]

    def notices(self, month: str) -> tuple[Notice, ...]:
        """What is known to be missing or odd about the month, what blocks its close first."""
        period = self._period(month)
        manifests = [each.manifest for each in self.periods]
        refused = period.refusal.notices if period.refusal else ()
        found = (
            *refused,
            *(each for each in period.manifest.notices if is_news(each, month, manifests)),
            *self.bill(month).notices,
            *self._older(period),
            *self.bill_notices,
        )
        ranks = ("blocks-close", "warning", "info")
        return tuple(sorted(found, key=lambda each: ranks.index(each.severity)))

    def status(self, month: str, today: date) -> str:
        """INVOICED or PROVISIONAL.

        INVOICED is a month that is over, has a line, of whose lines each that costs something is on
        an invoice, and of which nothing is open. AWS may restate it all the same, for refunds and
        credits (Cost and Usage Reports User Guide, "Viewing finalized reports").
        """
        manifest = self.manifest(month)
        is_invoiced = (
            month < f"{today:%Y-%m}"
            and manifest.lines_read > 0
            and self.bill(month).not_invoiced == 0
            and not blocking(self.notices(month))
        )
        return INVOICED if is_invoiced else PROVISIONAL

    def _older(self, period: Period) -> tuple[Notice, ...]:
        if period.manifest.schema_version < SCHEMA_VERSION:
            return (notice("read-by-older-program"),)
        return ()

    def _period(self, month: str) -> Period:
        if month in self.problems:
            raise self.problems[month]
        for period in self.periods:
            if period.manifest.billing_period == month:
                return period
        raise UsageProblem(
            f"There is no billing period {month} in the store.",
            todo=f"Choose one of {', '.join(self.months) or '(none yet)'}, or refresh.",
        )

    def summary(self, view: View, today: date) -> Summary:
        """The month's figures and what they compare with."""
        history = self._history(view)
        known = {totals.billing_period: totals for totals in history}
        month = known.get(view.month, MonthTotals(view.month))
        previous = previous_month(view.month)
        days, days_in_month = self._complete_days(view.month, today)
        return Summary(
            month=month,
            previous=known.get(previous, MonthTotals(previous))
            if previous in self.months
            else None,
            history=history,
            days=days,
            so_far=None
            if days == days_in_month
            else self._so_far(view, month, days, Decimal(days_in_month) / days),
        )

    def ties(self, month: str, currency: str) -> bool:
        """Whether what the reports show of a month is the bill that was read, to the last digit."""
        shown = {
            totals.billing_period: totals.cost for totals in self._history(View(month, currency))
        }
        return shown.get(month, ZERO) == self.bill(month).totals.get(currency, ZERO)

    def ranking(self, view: View, dimension: str) -> pd.DataFrame:
        """One row per unit, largest first, `(unallocated)` last.

        Columns: unit, name, account, principal_type, cost, previous_cost, change, share (of the
        view's cost, None when that is zero), tokens, token_cost, cost_per_million (None without
        tokens), history (list of up to 13 floats for a sparkline, oldest first; of two months if
        the view is of some days).
        """
        months = self._months_shown(view.month)[-2 if view.days else 0 :]
        found = self._ask(
            "ranking",
            "monthly",
            {**view.parameters(), "first_month": months[0]},
            dimension=dimension,
            previous_month=previous_month(view.month),
        ).to_pylist()
        total = sum((row["cost"] for row in found), ZERO)
        for row in found:
            row["change"] = row["cost"] - row["previous_cost"]
            row["share"] = share_of(row["cost"], total)
            row["cost_per_million"] = per_million(row["token_cost"], row["tokens"])
            row["history"] = _sparkline(row["history"], months)
        return pd.DataFrame(found, columns=RANKING_COLUMNS)

    def rankings(self, view: View, dimensions: Collection[str]) -> dict[str, pd.DataFrame]:
        """The ranking by each dimension, asked at once.

        Most of a small question's time is its planning, and Athena's is waiting.
        """
        with ThreadPoolExecutor(len(dimensions)) as pool:
            found = pool.map(partial(self.ranking, view), dimensions)
            return dict(zip(dimensions, found, strict=True))

    def top_models(self, view: View, dimension: str) -> dict[str, str]:
        """Which model each unit spent most on."""
        answer = self._ask("top_models", "monthly", view.parameters(), dimension=dimension)
        return {row["unit"]: row["top_model"] for row in answer.to_pylist()}

    def daily_trend(self, view: View, dimension: str, named: Sequence[str]) -> pd.DataFrame:
        """Cost by day for the `named` units, OTHERS and `(unallocated)`.

        Columns: usage_date (None for what belongs to no day of the month), unit, cost.
        """
        answer = self._ask(
            "days", "daily", view.parameters(), dimension=dimension, named=list(named)
        )
        trend = pd.DataFrame(answer.to_pylist(), columns=["usage_date", "unit", "cost"])
        return trend.assign(unit=trend["unit"].fillna(OTHERS))

    def days(self, view: View) -> pd.DataFrame:
        """One row per usage date, newest first.

        Columns: usage_date, cost, usage_cost, other_cost (what is not usage: tax, fees, credits,
        refunds, discounts), tokens, token_cost, line_count, cost_per_million.
        """
        answer = self._ask("day_table", "daily", view.parameters())
        rows = answer.to_pylist()
        for row in rows:
            row["cost_per_million"] = per_million(row["token_cost"], row["tokens"])
        return pd.DataFrame(rows, columns=[*answer.column_names, "cost_per_million"])

    def usage_mix(self, view: View) -> pd.DataFrame:
        """One row per provider, model, token type and tier, largest first.

        Columns: provider, model, token_type, service_tier, cost, tokens, token_cost,
        cost_per_million.
        """
        answer = self._ask("usage_mix", "monthly", view.parameters())
        rows = answer.to_pylist()
        for row in rows:
            row["cost_per_million"] = per_million(row["token_cost"], row["tokens"])
        return pd.DataFrame(rows, columns=[*answer.column_names, "cost_per_million"])

    def attribution(self, view: View) -> pd.DataFrame:
        """Cost by what decided it. Columns: dimension, source ('' is unallocated), cost."""
        answer = self._ask("attribution", "monthly", view.parameters())
        return pd.DataFrame(answer.to_pylist(), columns=answer.column_names)

    def unrecognised(self, view: View) -> pd.DataFrame:
        """What could not be read for certain, largest first.

        Columns: product_code, usage_type, model, token_type, recognised, note, is_new_product,
        cost.
        """
        answer = self._ask("unrecognised", "monthly", view.parameters())
        return pd.DataFrame(answer.to_pylist(), columns=answer.column_names)

    def options(self, month: str, currency: str) -> dict[str, dict[str, str]]:
        """For each filter its values, largest first, with the name to show."""
        answer = self._ask("options", "monthly", View(month, currency).parameters())
        found: dict[str, dict[str, str]] = {}
        for row in answer.to_pylist():
            value = row["value"] or WITHOUT.get(row["filter"], "")
            found.setdefault(row["filter"], {})[value] = (row["value"] and row["name"]) or value
        return found

    def movement(self, view: View, dimension: str, units: Sequence[str]) -> dict[str, Change]:
        """Why each of `units` changed since the month before."""
        previous = previous_month(view.month)
        rows = self._ask(
            "movement",
            "monthly",
            {**view.parameters(), "first_month": previous},
            dimension=dimension,
            previous_month=previous,
            named=list(units),
        ).to_pylist()
        meters: dict[str, list[MeterChange]] = {}
        for row in rows:
            meters.setdefault(row.pop("unit"), []).append(MeterChange(**row))
        return {unit: explain(changes) for unit, changes in meters.items()}

    def lines(self, source: Source, view: View, usage_date: date | None, page: int) -> pd.DataFrame:
        """The CUR lines behind a view, newest first, LINES_PAGE to a page (the first is 0).

        Columns: those of queries/cur/lines.sql, and cost, the amount on the bill.

        Raises:
            SourceProblem: the source can't be read now.
            UsageProblem: the view is too wide to be asked of the source.
        """
        keys = self._ask("line_keys", "daily", view.parameters())
        manifest = self.manifest(view.month)
        table = source.lines(
            {
                "billing_period": view.month,
                "products": product_keys(manifest.products),
                "exports": manifest.exports,
                "identities": sorted(set(keys["identity"].to_pylist())),
                "meters": sorted(set(keys["meter"].to_pylist())),
                "usage_date": usage_date.isoformat() if usage_date else None,
                "page_start": page * LINES_PAGE,
                "page_size": LINES_PAGE,
            }
        )
        rows = table.to_pylist()
        net_payers = set(self.bill(view.month).net_payers)
        for row in rows:
            is_net = f"{row['payer_account_id']}|{row['currency']}" in net_payers
            row["cost"] = billed_cost(row, is_net=is_net)
        return pd.DataFrame(rows, columns=[*table.column_names, "cost"])

    def name_of(self, view: View, dimension: str, unit: str) -> str:
        """How people call a unit of a dimension: an account by its name, a session by its own."""
        previous = previous_month(view.month)
        parameters = {**view.narrowed(dimension, unit).parameters(), "first_month": previous}
        found = self._ask(
            "ranking", "monthly", parameters, dimension=dimension, previous_month=previous
        )
        return found["name"][0].as_py() if found.num_rows else unit

    def charges(self, month: str, dimension: str) -> pa.Table:
        """What each unit is charged, exact: queries/reports/statement.sql."""
        return self._ask("statement", "monthly", {"month": month, "dimension": dimension})

    def detail(self, month: str) -> pa.RecordBatchReader:
        """The lines behind a statement, streamed: queries/reports/detail.sql."""
        return self.tables.stream("detail", "daily", {"month": month})

    def invoices(self, month: str) -> pa.Table:
        """What the month comes to on each invoice: queries/reports/invoices.sql."""
        return self._ask("invoices", "daily", {"month": month})

    def tags_seen(self) -> pa.Table:
        """Which sets of tags the lines of all months carry: queries/reports/tags_seen.sql."""
        return self._ask("tags_seen", "daily", {})

    def reconciliation(self, month: str, currency: str, since: date | None) -> pa.Table:
        """The month cut as other sources count it: queries/reports/reconciliation.sql."""
        return self._ask(
            "reconciliation", "daily", {"month": month, "currency": currency, "since": since}
        )

    def payers(self, month: str, currency: str) -> set[str]:
        """The accounts that pay a month's bill."""
        accounts = self.reconciliation(month, currency, None)["payer_account_id"].to_pylist()
        return {account for account in accounts if account}

    def _history(self, view: View) -> list[MonthTotals]:
        first = self._months_shown(view.month)[0]
        answer = self._ask("history", "monthly", {**view.parameters(), "first_month": first})
        return [MonthTotals(**row) for row in answer.to_pylist()]

    def _so_far(self, view: View, month: MonthTotals, days: int, stretch: Decimal) -> SoFar:
        previous = previous_month(view.month)
        parameters = {**view.parameters(), "first_month": previous}
        answer = self._ask("month_to_date", "daily", parameters, complete_days=days)
        paces = {row["billing_period"]: row for row in answer.to_pylist()}
        now, before = (paces.get(at, _NO_PACE) for at in (view.month, previous))
        return SoFar(
            usage=now["to_date"],
            previous_usage=before["to_date"],
            tokens=now["tokens_to_date"],
            previous_tokens=before["tokens_to_date"],
            run_rate=run_rate(month, now, stretch),
        )

    def _complete_days(self, month: str, today: date) -> tuple[int, int]:
        """Days of the month whose usage is all there, and all its days."""
        days_in_month = calendar.monthrange(int(month[:4]), int(month[5:]))[1]
        newest = self.manifest(month).newest_usage_date
        if month < f"{today:%Y-%m}" or newest is None or f"{newest:%Y-%m}" != month:
            return days_in_month, days_in_month
        # The newest day is still being filled.
        return max(newest.day - 1, 1), days_in_month

    def _months_shown(self, month: str) -> list[str]:
        months = [month]
        while len(months) < HISTORY_MONTHS:
            months.insert(0, previous_month(months[0]))
        return months

    def _ask(
        self, name: str, grain: Grain, parameters: Mapping[str, Any], **more: object
    ) -> pa.Table:
        if not self.months:
            raise next(
                iter(self.problems.values()),
                Problem("No billing period has been read yet.", "There is nothing to show."),
            )
        takes = _parameters_of(name)
        bound = tuple(
            (key, tuple(value) if isinstance(value, list) else value)
            for key, value in {**parameters, **more}.items()
            if key in takes
        )
        return self._answer(name, "daily" if parameters.get("days") else grain, bound)

    @cached_property
    def _answer(self) -> Callable[[str, Grain, tuple[tuple[str, Any], ...]], pa.Table]:
        """Runs a statement, once: neither the periods nor an Arrow table ever change."""
        return lru_cache(ANSWERS_KEPT)(
            lambda name, grain, bound: self.tables.answer(name, grain, dict(bound))
        )


@lru_cache
def _parameters_of(name: str) -> set[str]:
    return query.parameters(query.load(f"reports/{name}"))


_NO_PACE = dict.fromkeys(("to_date", "since", "in_step", "tokens_to_date"), ZERO)

RANKING_COLUMNS = [
    "unit",
    "name",
    "account",
    "principal_type",
    "cost",
    "previous_cost",
    "change",
    "share",
    "tokens",
    "token_cost",
    "cost_per_million",
    "history",
]


def _as_billed(values: list[str] | None, name: str) -> list[str] | None:
    return None if values is None else ["" if value == name else value for value in values]


def previous_month(month: str) -> str:
    """The billing period before `month`, both YYYY-MM."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - 1}-12" if number == 1 else f"{year}-{number - 1:02d}"


def check_month(month: str) -> str:
    """`month` itself if it is spelled YYYY-MM. Raises UsageProblem otherwise."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise UsageProblem(f"{month!r} is not a month.", todo="Write it as YYYY-MM: 2026-10.")
    return month


def _sparkline(history: str, shown: list[str]) -> list[float]:
    by_month = dict(month.split(" ") for month in history.split(","))
    first = next((i for i, month in enumerate(shown) if month in by_month), 0)
    return [float(by_month.get(month, 0)) for month in shown[first:]]
