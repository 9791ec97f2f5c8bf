"""What pages share in drawing: cards, headings, figures in words, the way from page to page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal

import pandas as pd
import streamlit as st

from chargeback.billing_period import previous_month
from chargeback.dimensions import Dimension
from chargeback.formats import (
    ABSENT,
    change_percent,
    count,
    cut,
    money,
    month_name,
    percent,
    short_month,
    signed_money,
    signed_percent,
    signed_points,
    tokens,
)
from chargeback.reports.cache_savings import total_saving
from chargeback.reports.frames import total
from chargeback.reports.ranking import OTHERS
from chargeback.reports.summary import MonthTotals, SoFar, Summary
from chargeback.reports.view import View
from chargeback.ui import address, download_menu, tables
from chargeback.ui.drill_path import AT
from chargeback.ui.markdown import plain

NAME_LENGTH = 22
SOURCES_SHOWN = 4
CARD_PIXELS = 160
"""Narrow enough that two cards stand side by side on a phone."""

NOTEWORTHY = Decimal("0.005")
"""A share that moves less than this is neither praised nor blamed."""

SO_FAR = (
    "Everything billed so far. The change compares usage on the month’s complete days with the "
    "same days of the month before."
)
AT_THIS_PACE = (
    "The month’s total if usage continues as on its complete days: tax and discounts grow with "
    "usage, fees and credits stay as they are. Cost Explorer’s own forecast, before tax, is on "
    "Reconciliation."
)
PRICE = (
    "What tokens cost, divided by their number; without discounts, credits and tax that are on "
    "lines of their own."
)
CACHE_READ_SHARE = "Tokens read from the prompt cache, of all tokens sent to models."
CACHE_SAVING = (
    "What tokens read from or written to a prompt cache would have cost as ordinary input, less "
    "what they did cost. The input price is the one paid this month for the same model, tier and "
    "region. Negative where writing to the cache cost more than reading from it saved."
)

Amount = Decimal | None

_ARROWS: Final[dict[str, Literal["up", "down"]]] = {"+": "up", "-": "down"}
_COLORS: Final[dict[str, Literal["green", "red"]]] = {"+": "green", "-": "red"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its comparison in words and up to thirteen months of history."""

    label: str
    value: str
    change: str = ""
    compared: str = ""
    history: Sequence[float] = ()
    up_is_good: bool = False
    """False where neither more nor less is good or bad."""
    help: str = ""
    """What the figure holds, where its name leaves that open."""


def draw(figures: Sequence[Figure]) -> None:
    """The figures side by side, two to a row on a phone."""
    grid = st.grid(len(figures), min_column_width=CARD_PIXELS, gap="small")
    for figure in figures:
        grid.metric(
            plain(figure.label),
            plain(figure.value),
            plain(figure.change) or None,
            delta_color=_color(figure),
            delta_arrow=_arrow(figure),
            delta_description=plain(figure.compared) or None,
            chart_data=figure.history if len(figure.history) > 1 else None,
            border=True,
            height="stretch",
            help=plain(figure.help) or None,
        )


def overview(summary: Summary, currency: str) -> list[Figure]:
    """The four figures of a month: its end in sight if it is open, its tokens if it is over."""
    so_far = summary.so_far
    second = run_rate(summary, so_far, currency) if so_far else tokens_used(summary)
    return [spend(summary, currency), second, price(summary, currency), tenant_share(summary)]


def models(summary: Summary, currency: str) -> list[Figure]:
    """The four figures of the models in use."""
    return [
        spend(summary, currency),
        tokens_used(summary),
        price(summary, currency),
        cache_read_share(summary),
    ]


def spend(summary: Summary, currency: str) -> Figure:
    """Spend against last month, or against the same days of it while the month is open.

    The history of an open month ends with the month before: an unfinished one looks like a fall.
    """
    value, history = money(summary.month.cost, currency), _history(summary, lambda m: m.cost)
    if summary.so_far is None:
        before = summary.previous.cost if summary.previous else None
        return _compared("Spend", value, (summary.month.cost, before), _last(summary), history)
    pair = (summary.so_far.usage, summary.so_far.previous_usage)
    compared = _compared("Spend so far", value, pair, _same_days(summary), history[:-1])
    return replace(compared, help=SO_FAR)


def run_rate(summary: Summary, so_far: SoFar, currency: str) -> Figure:
    """What an open month comes to at its present pace."""
    before = summary.previous.cost if summary.previous else None
    history = [*_history(summary, lambda m: m.cost)[:-1], float(so_far.run_rate)]
    value = money(so_far.run_rate, currency)
    compared = _compared("Run rate", value, (so_far.run_rate, before), _last(summary), history)
    return replace(compared, help=AT_THIS_PACE)


def tokens_used(summary: Summary) -> Figure:
    """Tokens of all types, compared as spend is."""
    value, history = tokens(summary.month.tokens), _history(summary, lambda m: m.tokens)
    if summary.so_far is None:
        before = summary.previous.tokens if summary.previous else None
        return _compared("Tokens", value, (summary.month.tokens, before), _last(summary), history)
    pair = (summary.so_far.tokens, summary.so_far.previous_tokens)
    return _compared("Tokens so far", value, pair, _same_days(summary), history[:-1])


def price(summary: Summary, currency: str) -> Figure:
    """Effective cost of a million tokens."""
    now = summary.month.cost_per_million
    before = summary.previous.cost_per_million if summary.previous else None
    history = _history(summary, lambda m: m.cost_per_million)
    value = money(now, currency)
    compared = _compared("Cost per million tokens", value, (now, before), _last(summary), history)
    return replace(compared, help=PRICE)


def tenant_share(summary: Summary) -> Figure:
    """How much of the spend is attributed to a tenant: here, more is better."""
    return _share("Attributed to a tenant", summary, lambda m: m.tenant_share, up_is_good=True)


def cache_read_share(summary: Summary) -> Figure:
    """How much of what was sent to models came from the prompt cache."""
    share = _share("Cache read share", summary, lambda m: m.cache_read_share)
    return replace(share, help=CACHE_READ_SHARE)


def cache_saving(savings: pd.DataFrame, currency: str) -> Figure:
    """What prompt caches saved, all models together."""
    saved = total_saving(savings)
    compared = "" if saved is None else "vs input prices"
    return Figure("Cache savings", money(saved, currency), compared=compared, help=CACHE_SAVING)


def not_counted(savings: pd.DataFrame, currency: str) -> str:
    """Says what the savings leave out; '' where that is nothing."""
    cost = total(savings, "not_counted")
    if not cost:
        return ""
    return (
        f"Cached tokens that cost {money(cost, currency)} are not in the savings: the month has no "
        "input price to compare them with."
    )


def comparison(summary: Summary, currency: str) -> str:
    """The comparison in full amounts; '' where there is no month before."""
    if summary.previous is None:
        return ""
    before = money(summary.previous.cost, currency)
    if summary.so_far is None:
        change = signed_money(summary.month.cost - summary.previous.cost, currency)
        return f"{change} against {last_month(summary)}’s {before}."
    return (
        f"Usage on the {summary.days} complete days of "
        f"{short_month(summary.month.billing_period)}: "
        f"{money(summary.so_far.usage, currency)}; on the same days of {last_month(summary)}: "
        f"{money(summary.so_far.previous_usage, currency)}. All of {last_month(summary)}: {before}."
    )


def heading(
    title: str,
    frame: pd.DataFrame,
    file_name: str,
    whole: Callable[[], pd.DataFrame] | None = None,
    *,
    says: str = "",
) -> None:
    """A section's title; the frame under it is offered as a file in the page's download menu.

    Args:
        title: in words.
        frame: what is shown.
        file_name: ends in .csv.
        whole: makes the frame with every row, where the one that is shown is cut.
        says: what the section shows this month, in a few words after the title.
    """
    st.subheader(plain(f"{title}: {says}" if says else title), anchor=False)
    columns = [str(column) for column in frame.columns if column != "history"]
    download_menu.offer(
        title, lambda: tables.frame_csv(whole() if whole else frame, columns), file_name
    )


def not_certain_notice(meters: int, cost: Decimal, currency: str) -> None:
    """Says that some meters could not be read for certain, and leads to their list."""
    st.page_link(
        "pages/models.py",
        label=plain(
            f"{count(meters, 'usage type')}, {money(cost, currency)}, not fully recognised"
        ),
        icon=":material/help:",
        query_params=address.link(),
    )


def sources_in_words(sources: Sequence[tuple[str, Amount]]) -> str:
    """What decided an attribution, the largest first: 'iamPrincipal/team 61.2 %, account 3.0 %'."""
    shown = [f"{source} {percent(share)}" for source, share in sources[:SOURCES_SHOWN]]
    more = len(sources) - len(shown)
    return ", ".join([*shown, f"{more} more"] if more else shown) or ABSENT


def shortened(names: Iterable[str]) -> list[str]:
    """Names cut to what leaves room for the columns beside them."""
    return [cut(name, NAME_LENGTH) for name in names]


def last_month(summary: Summary) -> str:
    """The month before, in words: 'September'."""
    return short_month(previous_month(summary.month.billing_period))


def nothing_matches(view: View) -> None:
    """What stands in place of a page whose filters, or whose bill, leave nothing."""
    month = month_name(view.month)
    if view.where:
        said = f"Nothing in {month} matches the filters. Remove one to see more."
        st.info(said, icon=":material/filter_alt_off:")
    else:
        st.info(f"The bill of {month} has no Bedrock charges.", icon=":material/info:")
    st.stop()


def go_to(dimension: Dimension, unit: str) -> None:
    """Opens the page of a dimension on one unit, keeping the month and the filters."""
    at = [] if unit == OTHERS else [f"{dimension.name}:{unit}"]
    address.open_page(dimension.detail_page, {AT: at})


def _share(
    label: str,
    summary: Summary,
    share: Callable[[MonthTotals], Amount],
    *,
    up_is_good: bool = False,
) -> Figure:
    now = share(summary.month)
    before = share(summary.previous) if summary.previous else None
    change = None if now is None or before is None else now - before
    return Figure(
        label=label,
        value=percent(now),
        change="" if change is None else signed_points(change),
        compared=_last(summary) if change is not None else "",
        history=_history(summary, share),
        up_is_good=up_is_good and change is not None and abs(change) >= NOTEWORTHY,
    )


def _compared(
    label: str, value: str, pair: tuple[Amount, Amount], words: str, history: list[float]
) -> Figure:
    change = change_percent(*pair)
    if change is None:
        return Figure(label, value, history=history)
    return Figure(label, value, signed_percent(change), words, history)


def _history(summary: Summary, amount: Callable[[MonthTotals], Amount]) -> list[float]:
    return [float(value) for month in summary.history if (value := amount(month)) is not None]


def _same_days(summary: Summary) -> str:
    return f"vs 1–{summary.days} {last_month(summary)[:3]}"


def _last(summary: Summary) -> str:
    return f"vs {last_month(summary)[:3]}"


def _arrow(figure: Figure) -> Literal["up", "down", "off"]:
    """As the change is written: one that rounds to nothing went nowhere."""
    return _ARROWS.get(figure.change[:1], "off")


def _color(figure: Figure) -> Literal["off", "green", "red"]:
    return _COLORS.get(figure.change[:1], "off") if figure.up_is_good else "off"
