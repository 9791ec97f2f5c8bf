"""Overview: what the month cost, why it moved, whose it is, and how much of it is attributed."""

import streamlit as st

from chargeback.billing_period import today
from chargeback.dimensions import BY_NAME, page_file
from chargeback.reports.caller_causes import Cause
from chargeback.reports.frames import total
from chargeback.reports.overview import SHOWN, moved_most, overview
from chargeback.reports.ranking import for_file
from chargeback.ui import address, bridge, daily_spend, header, metrics, page_context, tables
from chargeback.ui.markdown import plain
from chargeback.ui.table import Column

context = page_context.current()
answers, view = context.answers, context.view
month, currency = view.month, view.currency
header.draw(context)

shown = overview(answers, view, today())
summary = shown.summary
if not summary.has_lines:
    metrics.nothing_matches(view)
last_month = metrics.last_month(summary)
days = f"1–{summary.days} {last_month[:3]}"
metrics.draw(metrics.overview(summary, currency))
with st.container(horizontal=True, vertical_alignment="center"):
    st.caption(plain(metrics.comparison(summary, currency)), width="stretch")
    if len(shown.not_certain):
        metrics.not_certain_notice(len(shown.not_certain), total(shown.not_certain), currency)


def show_movers(by: str) -> None:
    """What changed most since last month, and why."""
    title = f"{BY_NAME[by].plural.capitalize()} that moved most"
    moved = moved_most(answers, view, today(), by)
    metrics.heading(title, moved, f"moved-{by}-{month}.csv")
    tables.plain_table(
        moved.assign(name=metrics.shortened(moved["name"])),
        columns={
            "name": Column(by.capitalize()),
            "change": Column("Change", "money_change"),
            "reason": Column("Why"),
        },
        currency=currency,
        key=f"moved {by}",
        what=title,
    )


def step_leads_to(step: str) -> bridge.Place:
    """The page that shows what is behind a step of the bridge."""
    pages = {
        "price": "models",
        "mix": "models",
        "other_meters": "models",
        "not_usage": "chargeback",
    }
    return page_file(pages.get(step, "principals")), {}


def open_cause(cause: Cause) -> None:
    """Opens the caller or the model that a cause is about."""
    metrics.go_to(BY_NAME[cause.dimension], cause.unit)


def show_top(dimension: str) -> None:
    """The largest few, which lead to their page."""
    top, file = shown.tops[dimension], for_file(shown.rankings[dimension], dimension)
    metrics.heading(f"Top {dimension}s", file, f"{dimension}s-{month}.csv")
    row = tables.plain_table(
        top.assign(name=metrics.shortened(top["name"])),
        columns={
            "name": Column(dimension.capitalize()),
            "cost": Column("Spend", "money"),
            "change_ratio": Column(f"vs {last_month if summary.is_over else days}", "change"),
            "share": Column("Share", "share"),
        },
        currency=currency,
        key=f"top {dimension}",
        select=True,
        what=f"Top {dimension}s by spend",
        total=shown.totals[dimension],
    )
    if row is not None:
        metrics.go_to(BY_NAME[dimension], top["unit"].iloc[row])


def show_attribution() -> None:
    """How much is attributed to whom, by what, and what is not."""
    metrics.heading("Attribution", shown.decided, f"attribution-{month}.csv")
    covered = shown.covered
    tables.plain_table(
        covered.assign(
            dimension=covered["dimension"].str.capitalize(),
            sources=[metrics.sources_in_words(sources) for sources in covered["sources"]],
        ),
        columns={
            "dimension": Column("Attributed to"),
            "share": Column("Share", "share"),
            "attributed": Column("Spend", "money"),
            "not_attributed": Column("Not attributed", "money"),
            "sources": Column("Decided by"),
        },
        currency=currency,
        key="attribution",
        what="Attributed spend",
    )


bridge.draw(
    answers,
    view,
    summary,
    month,
    bridge.Ways(step_leads_to, open_cause, lambda cause: bool(cause.dimension)),
)
by = address.choice("trend", SHOWN)
st.segmented_control(
    "Show by",
    SHOWN,
    format_func=str.capitalize,
    default=by,
    required=True,
    label_visibility="collapsed",
    **address.control("trend", by),
)
daily_spend.ask_with_movers(answers, view, today(), by)
daily_spend.draw(
    answers, view, by, noun=by, ranking=shown.rankings[by], file_name=f"days-by-{by}-{month}.csv"
)
if summary.previous is not None:
    show_movers(by)
for pair in (("tenant", "team"), ("principal", "model")):
    for column, dimension in zip(st.columns(2, gap="medium"), pair, strict=True):
        with column:
            show_top(dimension)
show_attribution()
