"""Models: what was spent on which model, token type and tier, at what price."""

import streamlit as st

from chargeback.billing_period import today
from chargeback.formats import ABSENT, count, money
from chargeback.reports.cache_savings import cache_savings, total_saving, with_cache_savings
from chargeback.reports.frames import priced_sums, sums, total
from chargeback.reports.ranking import for_file, rank, ranking_total, with_same_days
from chargeback.reports.summary import summarise
from chargeback.reports.usage_mix import doubts, unrecognised, usage_mix
from chargeback.ui import address, drilldown, header, metrics, page_context, tables, unit_statement
from chargeback.ui.drill_path import AT
from chargeback.ui.markdown import plain
from chargeback.ui.table import Column


def show_all() -> None:
    """Takes the chosen model out of the address."""
    address.write({AT: []})


context = page_context.current()
answers, view = context.answers, context.view
month, currency = view.month, view.currency
header.draw(context, "Models")

summary = summarise(answers, view, today())
if not summary.has_lines:
    metrics.nothing_matches(view)
savings = cache_savings(answers, view)
metrics.draw([*metrics.models(summary, currency), metrics.cache_saving(savings, currency)])
if left_out := metrics.not_counted(savings, currency):
    st.caption(plain(left_out))

models, compared_with = rank(answers, view, "model"), metrics.last_month(summary)
if not summary.is_over:
    same = rank(answers, view.first_days(summary.days), "model")
    models = with_same_days(models, same)
    compared_with = f"1–{summary.days} {compared_with[:3]}"
models = with_cache_savings(models, savings)
chosen = dict(drilldown.asked_path(("model",), ("model",)).at).get("model")
if chosen is not None and chosen not in set(models["unit"]):
    st.warning(f"Nothing was spent on {plain(chosen)}; showing all models.")
    chosen = None

file = for_file(models, "model")
metrics.heading("Spend by model", file, f"models-{month}.csv")
clicked = tables.ranked_table(
    models,
    what="model",
    currency=currency,
    key="models",
    previous_label=compared_with,
    columns=[
        *("name", "cost", "share", "change_percent", "history", "tokens", "cost_per_million"),
        "cache_saving",
    ],
    current=chosen,
    total={"cache_saving": total_saving(savings)},
)
if clicked is not None and clicked != chosen:
    address.go({AT: [f"model:{clicked}"]})

if chosen is not None:
    view = view.narrowed("model", chosen)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Below: only **{plain(chosen)}**", width="content")
        unit_statement.link("model", chosen)
        st.button("All models", on_click=show_all, icon=":material/close:", type="tertiary")

for column, dimension, what in zip(
    st.columns(2, gap="medium"),
    ("token_type", "service_tier"),
    ("token type", "service tier"),
    strict=True,
):
    with column:
        ranking = rank(answers, view, dimension)
        file = for_file(ranking, dimension)
        metrics.heading(f"By {what}", file, f"{dimension}s-{month}.csv")
        tables.plain_table(
            ranking,
            columns={
                "name": Column(what.capitalize()),
                "cost": Column("Spend", "money"),
                "share": Column("Share", "share"),
                "tokens": Column("Tokens", "tokens"),
                "cost_per_million": Column(tables.per_million(currency), "price"),
            },
            currency=currency,
            key=f"{dimension} {chosen}",
            what=f"{what.capitalize()}s by spend",
            total=ranking_total(ranking),
        )

st.caption("Tax, fees, credits, refunds and discounts have no tier and are listed under on-demand.")

mix = usage_mix(answers, view)
metrics.heading("Prices by model, token type and tier", mix, f"prices-{month}.csv")
tables.plain_table(
    mix,
    columns={
        "model": Column("Model"),
        "provider": Column("Provider"),
        "token_type": Column("Token type"),
        "service_tier": Column("Service tier"),
        "cost": Column("Spend", "money"),
        "tokens": Column("Tokens", "tokens"),
        "cost_per_million": Column(tables.per_million(currency), "price"),
    },
    currency=currency,
    key=f"prices {chosen}",
    what="Prices by model, token type and tier",
    total=priced_sums(mix, "cost"),
)

not_certain = unrecognised(answers, context.view)
if len(not_certain):
    not_certain["meaning"] = doubts(not_certain)
    metrics.heading("Not fully recognised", not_certain, f"not-certain-{month}.csv")
    st.caption(
        plain(
            f"{count(len(not_certain), 'usage type')}, "
            f"{money(total(not_certain), currency)}, all included in the totals above."
        )
    )
    tables.plain_table(
        not_certain.replace("", ABSENT),
        columns={
            "usage_type": Column("Usage type"),
            "cost": Column("Spend", "money"),
            "meaning": Column("What it means"),
            "model": Column("Model"),
            "product_code": Column("Product code"),
        },
        currency=currency,
        key="not certain",
        what="Usage types not fully recognised",
        total=sums(not_certain, "cost"),
    )
