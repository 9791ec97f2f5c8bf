"""From a ranked table down to the single CUR lines: what Tenants, Teams and Principals share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

import pandas as pd
import streamlit as st

from chargeback.billing_period import previous_month, today
from chargeback.dimensions import BY_NAME, CHARGED
from chargeback.files.names import safe_file_name
from chargeback.formats import count, money, month_name, percent, signed_points, tokens
from chargeback.money import share_of
from chargeback.reports.answers import Answers
from chargeback.reports.caller_causes import Cause
from chargeback.reports.daily import list_days
from chargeback.reports.frames import priced_sums, total
from chargeback.reports.ranking import (
    for_file,
    rank,
    rank_alike,
    top_models,
    with_same_days,
)
from chargeback.reports.summary import summarise
from chargeback.reports.view import View
from chargeback.ui import (
    address,
    bridge,
    crumbs,
    cur_lines,
    daily_spend,
    header,
    metrics,
    page_context,
    tables,
    unit_statement,
)
from chargeback.ui.drill_path import CALLERS, DAY, LINES, NOUNS, PARAMETERS, DrillPath, read_path
from chargeback.ui.level import Level, level_at, page_of, short, steps
from chargeback.ui.markdown import plain
from chargeback.ui.metrics import Figure
from chargeback.ui.table import Column

NO_DATE: Final = "(no date)"
CHARGED_NAMES: Final = frozenset(dimension.name for dimension in CHARGED.values())
AS_BILLED: Final = (
    "As billed, before allocation. Chargeback shows what is charged, with shares of tax and shared "
    "costs."
)
NOT_USAGE: Final = (
    "Tax, fees, credits, refunds and discounts, under the date that AWS gave them. They belong to "
    "no single day, so the chart leaves them out."
)
CALLS: Final = ("principal", CALLERS, "model", DAY)
BEHIND: Final = {
    "price": ("model", "token_type"),
    "mix": ("model", "token_type"),
    "other_meters": ("token_type", DAY),
    "not_usage": (DAY,),
}
"""What shows each step of a bridge, the best first; CALLS shows the others."""

Narrow = Callable[[Answers, View, pd.DataFrame], pd.DataFrame]
"""Takes a ranking to the rows of it that the reader asks for."""


def show(title: str, levels: Sequence[str], narrow: Narrow | None = None) -> None:
    """Draws a whole page.

    Args:
        title: of the page, which is also the name of its file.
        levels: dimensions in the order in which they follow each other, the page's own first.
        narrow: draws a control of the page's own over the month's ranking, and gives the rows that
            it leaves.
    """
    context = page_context.current()
    header.draw(context, title)
    path = asked_path(levels)
    level = level_at(context, title, path)
    if not level.path.is_top:
        crumbs.draw(level)
    if not level.summary.has_lines:
        _nothing(level)
        return
    if not level.path.is_top and not level.path.day:
        _figures(level)
        if len(level.path.at) == 1:  # further down there is less than a statement's
            dimension, unit = level.path.at[0]
            unit_statement.link_of(BY_NAME[dimension], unit)
        if level.path.by != LINES:
            _why(level)
        _split(level)
    if level.path.by == LINES:
        _lines(level)
        return
    if not level.path.is_top:
        _chart(level)
    _days(level) if level.path.by == DAY else _ranking(level, narrow)


def asked_path(levels: Sequence[str], narrowed_by: Collection[str] = BY_NAME) -> DrillPath:
    """The path that the address names; says what of it means nothing.

    Args:
        levels: of the page.
        narrowed_by: the dimensions that the page can be narrowed by.
    """
    path, ignored = read_path(levels, {name: address.values(name) for name in PARAMETERS})
    ignored += [":".join(pair) for pair in path.at if pair[0] not in narrowed_by]
    if path.asked not in ("", path.by):  # a month is split by the page's own units, a day never
        ignored.append(path.asked)
    if ignored:
        shown = ", ".join(f"“{short(text)}”" for text in ignored)
        said = f"This link names something that this page does not know; it was ignored: {shown}."
        st.warning(plain(said), icon=":material/link_off:")
    return path


def go(path: DrillPath) -> None:
    """Takes the reader to a path: one step of the browser's history."""
    address.go(path.parameters())


def _nothing(level: Level) -> None:
    month, filtered = month_name(level.view.month), bool(level.context.view.where)
    under = f" under {f' {crumbs.BETWEEN} '.join(steps(level))}" if not level.path.is_top else ""
    what = "matches the filters" if filtered else "was billed"
    st.info(plain(f"Nothing in {month}{under} {what}."), icon=":material/filter_alt_off:")
    if filtered:
        st.button("Clear the filters", key="clear-filters", on_click=address.clear_filters)


def _figures(level: Level) -> None:
    summary, currency = level.summary, level.view.currency
    metrics.draw(
        [
            metrics.spend(summary, currency),
            _share(level),
            metrics.tokens_used(summary),
            metrics.price(summary, currency),
        ]
    )
    st.caption(plain(metrics.comparison(summary, currency)))


def _share(level: Level) -> Figure:
    """How much of the level above this level is, month by month."""
    above = level.path.up_to(len(level.path.at) - 1).narrow(level.context.view)
    whole = {m.billing_period: m.cost for m in summarise(level.answers, above, today()).history}
    parts = {m.billing_period: m.cost for m in level.summary.history}
    shares = {month: share_of(cost, whole[month]) for month, cost in parts.items()}
    now = shares[level.view.month]
    before = shares.get(previous_month(level.view.month))
    change = None if now is None or before is None else now - before
    return Figure(
        label=f"Share of {short(level.names[-2]) if len(level.names) > 1 else 'the month'}",
        value=percent(now),
        change="" if change is None else signed_points(change),
        compared="" if change is None else f"vs {metrics.last_month(level.summary)[:3]}",
        history=[float(share) for share in shares.values() if share is not None],
    )


def _why(level: Level) -> None:
    """The bridge from last month, and the causes."""
    path = level.path

    def of_step(step: str) -> bridge.Place | None:
        split = next((each for each in BEHIND.get(step, CALLS) if each in level.splits), None)
        return None if split is None else (page_of(level), path.split_by(split).parameters())

    def of_cause(cause: Cause) -> None:
        if cause.dimension and cause.dimension not in dict(path.at):
            go(DrillPath(path.levels, (*path.at, (cause.dimension, cause.unit))))
        go(path.split_by(DAY))

    name = safe_file_name("-".join([level.view.month, *(unit for _, unit in level.path.at)]))
    ways = bridge.Ways(of_step, of_cause, lambda _: True)
    bridge.draw(level.answers, level.view, level.summary, name, ways)


def _split(level: Level) -> None:
    chosen = st.segmented_control(
        "Split by",
        level.splits,
        format_func=_plural,
        default=level.path.by,
        required=True,
        key=f"split-{level.path.key}",
    )
    if chosen != level.path.by:
        go(level.path.split_by(chosen))


def _plural(split: str) -> str:
    noun = NOUNS[split]
    return f"{noun[0].upper()}{noun[1:]}s"


def _chart(level: Level) -> None:
    """Every day's spend, stacked by what the table splits by, or by what it could."""
    by, view = level.path.by, level.view
    if by == DAY:
        by = next((x for x in level.splits if x not in (DAY, LINES)), level.path.at[-1][0])
    daily_spend.draw(
        level.answers,
        view,
        by,
        noun=NOUNS[by],
        ranking=rank(level.answers, view, by),
        file_name=_file_name(level, f"days by {NOUNS[by]}"),
    )


def _ranking(level: Level, narrow: Narrow | None) -> None:
    ranking, against = _compared(level)
    if narrow and level.path.is_top:
        ranking = narrow(level.answers, level.view, ranking)
    by, columns = level.path.by, _columns(level.path)
    if "top_model" in columns:
        of_unit = top_models(level.answers, level.view, by, ranking if by == CALLERS else None)
        ranking["top_model"] = ranking["unit"].map(of_unit).fillna("")
    file = for_file(ranking, by)
    metrics.heading(f"Spend by {level.noun}", file, _file_name(level, f"by {level.noun}"))
    if level.path.is_top and by in CHARGED_NAMES and level.context.workspace.allocation.is_set:
        st.caption(AS_BILLED)
    with st.container(key="drill-table"):
        unit = tables.ranked_table(
            ranking,
            what=level.noun,
            currency=level.view.currency,
            key=f"table-{level.path.key}",
            previous_label=against,
            columns=columns,
        )
    if unit is not None:
        go(level.path.down(unit))


def _compared(level: Level) -> tuple[pd.DataFrame, str]:
    """The ranking, and what it is compared with: an open month only with the same days."""
    summary, by = level.summary, level.path.by
    ranking, last_month = rank(level.answers, level.view, by), metrics.last_month(summary)
    if summary.is_over:
        return ranking, last_month
    same = rank_alike(level.answers, level.view.first_days(summary.days), by, ranking)
    return with_same_days(ranking, same), f"1–{summary.days} {last_month[:3]}"


def _columns(path: DrillPath) -> list[str]:
    about = ["principal_type", "account"] if path.by == "principal" else []
    used = [] if about else ["tokens"]  # not both: the table is as wide as it can be
    one_model = "model" in (path.by, *dict(path.at))
    top_model = [] if one_model else ["top_model"]
    spent = ["cost", "share", "change_percent", "history"]
    return ["name", *about, *spent, *used, "cost_per_million", *top_model]


def _days(level: Level) -> None:
    days, currency = list_days(level.answers, level.view), level.view.currency
    metrics.heading("Spend by day", days, _file_name(level, f"by {level.noun}"))
    st.caption(count(len(days), "day"))
    with st.container(key="drill-table"):
        row = tables.plain_table(
            days.assign(day=[day.isoformat() if day else NO_DATE for day in days["usage_date"]]),
            columns={
                "day": Column("Usage date (UTC)", pinned=True),
                "cost": Column("Spend", "money"),
                "usage_cost": Column("Usage", "money"),
                "other_cost": Column("Not usage", "money", NOT_USAGE),
                "tokens": Column("Tokens", "tokens"),
                "cost_per_million": Column(tables.per_million(currency), "price"),
                "line_count": Column("CUR lines", "number"),
            },
            currency=currency,
            key=f"table-{level.path.key}",
            select=True,
            what="Spend by day, newest first",
            total=priced_sums(days, "cost", "usage_cost", "other_cost", "line_count"),
            closed=[place for place, day in enumerate(days["usage_date"]) if not day],
        )
    if row is not None:
        go(level.path.down(days["usage_date"].iloc[row].isoformat()))


def _lines(level: Level) -> None:
    days, path = list_days(level.answers, level.view), level.path
    if path.day:
        days = _only_day(level, days)
    line_count, cost = int(total(days, "line_count")), total(days)
    if not line_count:
        _nothing(level)
        return
    chosen = cur_lines.draw(level.context, path, level.view, line_count, cost)
    if chosen != path:
        go(chosen)


def _only_day(level: Level, days: pd.DataFrame) -> pd.DataFrame:
    """The row of the chosen day, its figures drawn."""
    day = days[days["usage_date"] == level.path.day]
    currency = level.view.currency
    for row in day.to_dict("records"):
        share = percent(share_of(row["cost"], level.summary.month.cost))
        price = money(row["cost_per_million"], currency)
        metrics.draw(
            [
                Figure("Spend", money(row["cost"], currency)),
                Figure(f"Share of {short(level.names[-1]) if level.names else 'the month'}", share),
                Figure("Tokens", tokens(row["tokens"])),
                Figure("Cost per million tokens", price),
            ]
        )
    return day


def _file_name(level: Level, what: str) -> str:
    values = (unit for _, unit in level.path.at)
    return safe_file_name("-".join([level.view.month, what, *values])) + ".csv"
