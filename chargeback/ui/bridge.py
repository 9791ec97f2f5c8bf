"""Why spend changed: the steps from month to month as a waterfall, and the causes behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import pandas as pd
import streamlit as st

from chargeback.billing_period import previous_month
from chargeback.formats import ABSENT, money, short_month, signed_money
from chargeback.money import exact_sum
from chargeback.reports.answers import Answers
from chargeback.reports.bridge import Bridge, bridge, headline, step_in_words
from chargeback.reports.caller_causes import Cause
from chargeback.reports.causes import causes
from chargeback.reports.summary import Summary
from chargeback.reports.view import View
from chargeback.ui import address, metrics, tables
from chargeback.ui.charts import CHART_CONFIG
from chargeback.ui.markdown import plain
from chargeback.ui.table import Column
from chargeback.ui.waterfall import waterfall

EVERYONE: Final = "All callers"
THE_REST: Final = "Everything else"
SHOWN: Final = 6
"""Causes in the table."""

Place = tuple[str, Mapping[str, Sequence[str]]]
"""A page's file and its parameters."""


@dataclass(frozen=True)
class Ways:
    """Where steps and causes lead to."""

    of_step: Callable[[str], Place | None]
    """By the step's name."""
    of_cause: Callable[[Cause], None]
    """Opens what shows a cause."""
    leads: Callable[[Cause], bool]
    """Whether anything shows it."""


def draw(answers: Answers, view: View, summary: Summary, name: str, ways: Ways) -> None:
    """The bridge and beside it the causes, of a view.

    Args:
        answers: the answers.
        view: of the whole month.
        summary: of the view.
        name: tells its files from those of other views.
        ways: where its parts lead to.
    """
    if summary.previous is None:
        st.subheader("What changed", anchor=False)
        st.caption("There is no month before to compare with.")
        return
    compared = view if summary.is_over else view.first_days(summary.days)
    found = bridge(answers, compared)
    left, right = st.columns((2, 3), gap="medium")
    with left:
        _bridge(found, summary, view.currency, name, ways)
    with right:
        _causes(causes(answers, compared), found, view.currency, name, summary, ways)


def _bridge(found: Bridge, summary: Summary, currency: str, name: str, ways: Ways) -> None:
    before, now = _months(summary)
    rows = [(before, found.previous), *found.taken.items(), (now, found.cost)]
    file = pd.DataFrame(rows, columns=["step", "amount"])
    title = headline(found, currency)
    metrics.heading(title, file, f"bridge-{name}.csv")
    words = [step_in_words(*step) for step in found.taken.items()]
    st.plotly_chart(
        waterfall(
            [before, *words, now],
            [amount for _, amount in rows],
            currency,
            st.context.theme.type or "light",
        ),
        config=CHART_CONFIG,
        key=f"bridge {name}",
        alt=_in_words(rows, words, currency),
    )
    _steps(found, currency, ways)
    if not summary.is_over:
        st.caption(f"Usage on days 1 to {summary.days} of both months.")


def _in_words(rows: Sequence[tuple[str, Decimal]], words: Iterable[str], currency: str) -> str:
    """The chart for those who can't see it."""
    (before, was), *steps, (now, is_) = rows
    said = [
        f"{text} {signed_money(amount, currency)}"
        for text, (_, amount) in zip(words, steps, strict=True)
    ]
    return f"{before} {money(was, currency)}; {'; '.join(said)}; {now} {money(is_, currency)}."


def _steps(found: Bridge, currency: str, ways: Ways) -> None:
    """The steps in words, each the way to what is behind it."""
    with st.container(horizontal=True, gap="xsmall"):
        for step, amount in found.taken.items():
            words = plain(f"{signed_money(amount, currency)} {step_in_words(step, amount)}")
            place = ways.of_step(step)
            if place is None:
                st.caption(words, width="content")
                continue
            page, own = place
            st.page_link(page, label=words, query_params=address.link(own), width="content")


def _causes(  # noqa: PLR0913, PLR0917 -- what the table is made of
    found: Sequence[Cause], of: Bridge, currency: str, name: str, summary: Summary, ways: Ways
) -> None:
    title = f"What moved since {metrics.last_month(summary)}"
    metrics.heading(title, _file(found), f"causes-{name}.csv")
    shown = _shown(found, of.change)
    with st.container(key="causes"):
        row = tables.plain_table(
            shown,
            columns={
                "who": Column("Who"),
                "amount": Column("Change", "money_change"),
                "what": Column("What happened"),
            },
            currency=currency,
            key=f"causes {name}",
            select=True,
            what=title,
            total={"amount": of.change},
            closed=[*(at for at, each in enumerate(found[:SHOWN]) if not ways.leads(each)), SHOWN],
        )
    if row is not None:
        ways.of_cause(found[row])


def _shown(found: Sequence[Cause], change: Decimal) -> pd.DataFrame:
    """The largest causes, and what is left of the change."""
    rows = [(_who(each), each.what, each.amount) for each in found[:SHOWN]]
    rest = exact_sum([change, *(-amount for *_, amount in rows)])
    if len(found) > SHOWN:
        rows.append((THE_REST, f"{len(found) - SHOWN} smaller causes", rest))
    shown = pd.DataFrame(rows, columns=["who", "what", "amount"])
    return shown.assign(who=metrics.shortened(shown["who"]))


def _who(cause: Cause) -> str:
    return cause.who or (EVERYONE if cause.dimension else ABSENT)


def _file(found: Iterable[Cause]) -> pd.DataFrame:
    """All causes; they add up to the change."""
    rows: list[dict[str, Any]] = [
        {
            "who": each.who,
            "what": each.what,
            "amount": each.amount,
            "dimension": each.dimension,
            "unit": each.unit,
            "first_day": each.first_day,
            "last_day": each.last_day,
        }
        for each in found
    ]
    columns = ["who", "what", "amount", "dimension", "unit", "first_day", "last_day"]
    return pd.DataFrame(rows, columns=columns)


def _months(summary: Summary) -> tuple[str, str]:
    """What the first and the last bar are called."""
    month = summary.month.billing_period
    names = short_month(previous_month(month)), short_month(month)
    if summary.is_over:
        return names
    before, now = (f"1–{summary.days} {name[:3]}" for name in names)
    return before, now
