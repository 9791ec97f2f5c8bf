"""Overview: what the month cost, why it moved, whose it is, and how much of it is attributed."""

import streamlit as st

from chargeback.billing_period import today
from chargeback.reports import highlights
from chargeback.reports.answers import OTHERS
from chargeback.ui import address, charts, shell, tables
from chargeback.ui import metrics as figures
from chargeback.ui.formats import money, plain
from chargeback.ui.tables import Column

PAGES = {"tenant": "tenants", "team": "teams", "principal": "principals", "model": "models"}

context = shell.current()
reports, view = context.reports, context.view
month, currency = view.month, view.currency
shell.header(context)

summary = reports.summary(view, today())
if not summary.has_lines:
    figures.nothing_matches(view)
last_month = figures.last_month(summary)
days = f"1–{summary.days} {last_month[:3]}"
figures.draw(figures.overview(summary, currency))
not_certain = reports.unrecognised(view)
with st.container(horizontal=True, vertical_alignment="center"):
    st.caption(plain(figures.comparison(summary, currency)), width="stretch")
    if len(not_certain):
        figures.not_certain_notice(len(not_certain), highlights.total(not_certain), currency)

like_for_like = view if summary.is_over else highlights.same_days(view, summary.days)
rankings = reports.rankings(view, PAGES)
compared = rankings if summary.is_over else reports.rankings(like_for_like, PAGES)


def show_trend(by: str) -> None:
    """Every day's spend, and how the chart and what is not in it add up to the month."""
    named = highlights.largest_units(rankings[by])
    names = dict(zip(rankings[by]["unit"], rankings[by]["name"], strict=True))
    names[OTHERS] = highlights.others_named(rankings[by], by)
    trend = reports.daily_trend(view, by, named)
    file = trend.replace({"unit": {OTHERS: names[OTHERS]}})
    figures.heading(f"Spend by day and {by}", file, f"days-by-{by}-{month}.csv")
    chart = charts.daily_chart(trend, names, currency, st.context.theme.type or "light")
    st.plotly_chart(chart, config=charts.CHART_CONFIG, key=f"trend {by}")
    of_no_day = highlights.undated(trend)
    if of_no_day:
        st.caption(
            plain(
                f"{money(of_no_day, currency)} of the {money(summary.month.cost, currency)} "
                "belongs to no day and is not in the chart: tax, fees, credits, discounts, usage "
                "of an earlier month."
            )
        )


def show_movers(by: str) -> None:
    """What changed most since last month, and why."""
    title = f"What moved since {last_month}"
    if summary.previous is None:
        st.subheader(title, anchor=False)
        st.caption("There is no month before to compare with.")
        return
    moved = highlights.movers(reports, like_for_like, by, compared[by])
    figures.heading(title, moved, f"moved-{by}-{month}.csv")
    moved["name"] = figures.shortened(moved["name"])
    moved["why"] = figures.why(moved, currency)
    tables.plain_table(
        moved,
        columns={
            "name": Column(by.capitalize()),
            "change": Column("Change", "money"),
            "why": Column("Why"),
        },
        currency=currency,
        key=f"moved {by}",
        what=title,
    )
    st.caption(
        ("" if summary.is_over else f"Usage on days 1 to {summary.days} of both months. ")
        + "Volume, price, mix, other meters and what is not usage add up to each change."
    )


def show_top(dimension: str) -> None:
    """The largest few, which lead to their page."""
    ranking = rankings[dimension]
    top = highlights.top_of(ranking, compared[dimension], dimension)
    file = highlights.for_file(ranking, dimension)
    figures.heading(f"Top {dimension}s", file, f"{dimension}s-{month}.csv")
    row = tables.plain_table(
        top.assign(name=figures.shortened(top["name"])),
        columns={
            "name": Column(dimension.capitalize()),
            "cost": Column("Spend", "money"),
            "change_ratio": Column(f"Δ {last_month if summary.is_over else days}", "change"),
            "share": Column("Share", "share"),
        },
        currency=currency,
        key=f"top {dimension}",
        select=True,
        what=f"Top {dimension}s by spend",
    )
    if row is not None:
        figures.go_to(PAGES[dimension], dimension, top["unit"].iloc[row])


def show_attribution() -> None:
    """How much is attributed to whom, by what, and what is not."""
    decided = reports.attribution(view)
    figures.heading("Attribution", decided, f"attribution-{month}.csv")
    covered = highlights.coverage(decided)
    tables.plain_table(
        covered.assign(
            dimension=covered["dimension"].str.capitalize(),
            sources=[figures.sources_in_words(sources) for sources in covered["sources"]],
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


by = address.choice("trend", list(PAGES))
st.segmented_control(
    "Show by",
    list(PAGES),
    format_func=str.capitalize,
    default=by,
    required=True,
    label_visibility="collapsed",
    **address.control("trend", by),
)
wide, narrow = st.columns(2, gap="medium")
with wide:
    show_trend(by)
with narrow:
    show_movers(by)
for pair in (("tenant", "team"), ("principal", "model")):
    for column, dimension in zip(st.columns(2, gap="medium"), pair, strict=True):
        with column:
            show_top(dimension)
show_attribution()
