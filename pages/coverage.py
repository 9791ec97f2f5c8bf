"""Coverage: how much has somebody who pays, what decided it, and what is missing for the rest."""

import pandas as pd
import streamlit as st

from chargeback.dimensions import BY_NAME, UNALLOCATED
from chargeback.formats import count, money, month_name, percent
from chargeback.money import share_of
from chargeback.reports.coverage import DIMENSIONS, coverage_by_month, deciding_sources
from chargeback.reports.frames import sums, total
from chargeback.reports.unallocated import reasons
from chargeback.ui import address, charts, coverage, header, metrics, page_context, tables
from chargeback.ui.markdown import plain
from chargeback.ui.table import Column

LABELS = {name: BY_NAME[name].label for name in DIMENSIONS}

context = page_context.current()
answers, view = context.answers, context.view
month, currency = view.month, view.currency
header.draw(context, "Coverage")

dimension = address.choice("to", DIMENSIONS, LABELS)
st.segmented_control(
    "Attributed to",
    DIMENSIONS,
    format_func=LABELS.__getitem__,
    default=dimension,
    required=True,
    **address.control("to", dimension),
)
noun = BY_NAME[dimension].noun
history = coverage_by_month(answers, view)
if month not in set(history["billing_period"]):
    metrics.nothing_matches(view)


def show_trend() -> None:
    """Month by month how much is attributed, for each dimension."""
    metrics.heading("Attributed, month by month", history, f"coverage-{month}.csv")
    base = st.context.theme.type or "light"
    chart = charts.share_chart(history, LABELS, dimension, base)
    st.plotly_chart(
        chart,
        config=charts.CHART_CONFIG,
        key=f"coverage {dimension}",
        alt=f"Share of spend that is attributed, month by month. {in_words(history)}",
    )


def in_words(history: pd.DataFrame) -> str:
    """The shares of the month that is shown, for those who can't see the chart."""
    now = history[history["billing_period"] == month]
    shares = dict(zip(now["dimension"], now["share"], strict=True))
    said = [f"{LABELS[name]} {percent(share)}" for name, share in shares.items()]
    return f"{month_name(month)}: {', '.join(said)}."


def show_sources() -> None:
    """What decided the chosen dimension, and how much it left."""
    decided = deciding_sources(answers, view, (dimension,))
    metrics.heading(f"What decided the {noun}", decided, f"sources-{dimension}-{month}.csv")
    tables.plain_table(
        decided.replace({"source": {"": UNALLOCATED}}),
        columns={
            "source": Column("Decided by"),
            "cost": Column("Spend", "money"),
            "share": Column("Share", "share"),
        },
        currency=currency,
        key=f"sources {dimension}",
        what="What decided",
        total=sums(decided, "cost", "share"),
    )


found = reasons(answers, view, dimension)
coverage.show_figures(history, found, dimension, month, currency)
wide, narrow = st.columns([3, 2], gap="medium")
with wide:
    show_trend()
with narrow:
    show_sources()

metrics.heading("Unallocated, by reason", found, f"unallocated-{dimension}-{month}.csv")
if found.empty:
    st.success(plain(f"All spend has a {noun}."), icon=":material/check_circle:")
else:
    now = history[(history["dimension"] == dimension) & (history["billing_period"] == month)]
    part = percent(share_of(total(found), total(now)))
    said = f"{money(total(found), currency)} without a {noun}: {part} of the month"
    st.caption(
        plain(f"{said}, for {count(len(found), 'reason')}. Choose a row to see how to fix it.")
    )
    coverage.show_reasons(context, dimension, found)
coverage.show_more(context, dimension)
