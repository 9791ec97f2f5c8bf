"""From a ranked table down to the single CUR lines: what Tenants, Teams and Principals share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd
import streamlit as st

from chargeback.billing_period import previous_month, today
from chargeback.dimensions import BY_NAME, CHARGED, UNALLOCATED, page_file
from chargeback.files.names import safe_file_name
from chargeback.formats import count, money, month_name, percent, signed_points, tokens
from chargeback.money import share_of
from chargeback.reports.answers import Answers
from chargeback.reports.caller_causes import Cause
from chargeback.reports.daily import list_days
from chargeback.reports.frames import priced_sums, total
from chargeback.reports.ranking import (
    for_file,
    name_of,
    rank,
    top_models,
    with_same_days,
)
from chargeback.reports.summary import Summary, summarise
from chargeback.reports.view import View
from chargeback.ui import (
    address,
    bridge,
    cur_lines,
    daily_spend,
    header,
    metrics,
    page_context,
    tables,
    unit_statement,
)
from chargeback.ui.drill_path import CALLERS, DAY, LINES, NOUNS, PARAMETERS, DrillPath, read_path
from chargeback.ui.markdown import plain
from chargeback.ui.metrics import Figure
from chargeback.ui.principal_kinds import KIND
from chargeback.ui.tables import Column

NAMELESS: Final = "(no name)"
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
BETWEEN: Final = "\u203a"
"""Between two levels of the way down: a single angle quotation mark, pointing right."""
SHOWN_LENGTH: Final = 40
"""Characters of a name that is only one of several things in a line."""

Narrow = Callable[[Answers, View, pd.DataFrame], pd.DataFrame]
"""Takes a ranking to the rows of it that the reader asks for."""


@dataclass(frozen=True)
class Level:
    """One level of a drill-down page, with everything that its parts are drawn from."""

    context: page_context.Context
    title: str
    path: DrillPath
    view: View
    names: tuple[str, ...]
    """What people call the unit of each condition of the path."""
    passed: tuple[tuple[str, str], ...]
    """Dimension and name of what stands alone at its level: the level is passed over."""
    splits: tuple[str, ...]
    """What the reader can split by."""
    summary: Summary

    @property
    def answers(self) -> Answers:
        """The answers."""
        return self.context.answers

    @property
    def noun(self) -> str:
        """What one row of the table is."""
        return NOUNS[self.path.by]


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
    level = _level(context, title, path)
    if not level.path.is_top:
        _crumbs(level)
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
        shown = ", ".join(f"“{_short(text)}”" for text in ignored)
        said = f"This link names something that this page does not know; it was ignored: {shown}."
        st.warning(plain(said), icon=":material/link_off:")
    return path


def go(path: DrillPath) -> None:
    """Takes the reader to a path: one step of the browser's history."""
    address.go(path.parameters())


def _level(context: page_context.Context, title: str, path: DrillPath) -> Level:
    answers, view, names = context.answers, context.view, []
    for dimension, unit in path.at:
        names.append(name_of(answers, view, dimension, unit) or NAMELESS)
        view = view.narrowed(dimension, unit)
    splits = path.splits()
    if CALLERS in splits and path.asked != CALLERS and len(rank(answers, view, CALLERS)) <= 1:
        splits.remove(CALLERS)
    path, passed = _pass_single_rows(answers, path, view)
    summary = summarise(answers, view, today())
    return Level(context, title, path, view, tuple(names), tuple(passed), tuple(splits), summary)


def _pass_single_rows(
    answers: Answers, path: DrillPath, view: View
) -> tuple[DrillPath, list[tuple[str, str]]]:
    """Passes over levels of one row, unless the reader asked for it; says what that row was."""
    passed = []
    while not (path.is_top or path.asked or path.by in (DAY, LINES)):
        ranking = rank(answers, view, path.by)
        if len(ranking) != 1:
            break
        if path.by != CALLERS:  # the one caller of a principal is that principal
            passed.append((path.by, ranking["name"][0] or NAMELESS))
        path = replace(path, levels=tuple(x for x in path.levels if x != path.by))
    return path, passed


def _short(name: str) -> str:
    return name if len(name) <= SHOWN_LENGTH else f"{name[: SHOWN_LENGTH - 1]}…"


def _crumbs(level: Level) -> None:
    path, steps = level.path, [level.title, *map(_short, _steps(level))]
    with st.container(key="crumbs", horizontal=True, vertical_alignment="center", gap="xsmall"):
        for number, step in enumerate(steps[:-1]):
            above = path.up_to(number)
            if number == len(path.at):  # a day stands below its days
                above = above.split_by(DAY)
            st.page_link(
                _page(level),
                label=plain(step),
                query_params=address.link({KIND: address.values(KIND)} | above.parameters()),
            )
            st.markdown(BETWEEN, width="content")
        st.markdown(f"**{plain(steps[-1])}**", width="content")
        for passed in level.passed:
            st.markdown(BETWEEN, width="content")
            st.markdown(f":gray[{plain(_only(*passed))}]", width="content")


def _only(dimension: str, name: str) -> str:
    """What a level that is passed over would show: 'only team: checkout', 'no team'."""
    noun = NOUNS[dimension]
    return f"no {noun}" if name == UNALLOCATED else f"only {noun}: {_short(name)}"


def _steps(level: Level) -> list[str]:
    """What people call everything that narrows the level, the widest first."""
    pairs = zip(level.path.at, level.names, strict=True)
    steps = [_step(level.path.levels, *at, name) for at, name in pairs]
    day = level.path.day
    return [*steps, f"{day.day} {month_name(day.isoformat()[:7])}"] if day else steps


def _step(levels: Sequence[str], dimension: str, unit: str, name: str) -> str:
    """A unit's name, with what it is where the page does not say: 'cost center (unallocated)'."""
    clear = levels[:1] if unit == UNALLOCATED else levels
    return name if dimension in clear else f"{NOUNS[dimension]} {name}"


def _nothing(level: Level) -> None:
    month, filtered = month_name(level.view.month), bool(level.context.view.where)
    under = f" under {f' {BETWEEN} '.join(_steps(level))}" if not level.path.is_top else ""
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
        label=f"Share of {_short(level.names[-2]) if len(level.names) > 1 else 'the month'}",
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
        return None if split is None else (_page(level), path.split_by(split).parameters())

    def of_cause(cause: Cause) -> None:
        if cause.dimension and cause.dimension not in dict(path.at):
            go(DrillPath(path.levels, (*path.at, (cause.dimension, cause.unit))))
        go(path.split_by(DAY))

    name = safe_file_name("-".join([level.view.month, *(unit for _, unit in level.path.at)]))
    ways = bridge.Ways(of_step, of_cause, lambda _: True)
    bridge.draw(level.answers, level.view, level.summary, name, ways)


def _page(level: Level) -> str:
    return page_file(level.title.lower().replace(" ", "-"))


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
        of_unit = top_models(level.answers, level.view, by)
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
    same = rank(level.answers, level.view.first_days(summary.days), by)
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
                Figure(
                    f"Share of {_short(level.names[-1]) if level.names else 'the month'}", share
                ),
                Figure("Tokens", tokens(row["tokens"])),
                Figure("Cost per million tokens", price),
            ]
        )
    return day


def _file_name(level: Level, what: str) -> str:
    values = (unit for _, unit in level.path.at)
    return safe_file_name("-".join([level.view.month, what, *values])) + ".csv"
