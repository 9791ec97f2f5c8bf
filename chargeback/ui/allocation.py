"""How a statement came about, on the Chargeback page: what moved, by which rule, and what if."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

import streamlit as st

from chargeback.formats import count, money
from chargeback.money import exact_sum
from chargeback.reports.frames import sums
from chargeback.statement.build import MONEY, Statement
from chargeback.statement.column_words import HEADINGS
from chargeback.statement.explain import OWN, compare, direct_total, parts, pools
from chargeback.statement.unit_names import Named
from chargeback.ui import metrics, tables, unit_statement
from chargeback.ui.markdown import plain
from chargeback.ui.problems import shown_problems
from chargeback.ui.table import Column

EXAMPLE: Final = """\
tax = "usage"
discount = "usage"

[[rules]]
id = "gateway"
name = "Untagged gateway traffic"
take = { principal = "arn:aws:iam::*:role/llm-gateway" }
by = "direct cost"
"""

BILLED: Final = (
    "What its own lines come to, before allocation. Rounded by itself, as on other pages, so that "
    "it may differ by a cent from the columns of the statement, which add up."
)
TEXT: Final = "rules-to-try"
TRIED: Final = "rules tried"


def draw_unit(statement: Statement, currency: str, unit: str, named: Named) -> None:
    """How one unit's charge is made of its own lines and what it received and gave."""
    found = parts(statement, currency, unit)
    metrics.heading(
        f"How {named(unit)} is charged", found, f"charge-{currency}-{statement.billing_period}.csv"
    )
    own, all_parts = direct_total(statement, currency, unit), exact_sum(found["amount"])
    st.caption(
        plain(
            f"Its own lines {money(own, currency)}, moved by allocation "
            f"{money(all_parts - own, currency)}: charged {money(all_parts, currency)}."
        )
    )
    unit_statement.link(statement.bill_to_type, unit)
    tables.plain_table(
        found.assign(
            why=found["why"].replace({OWN: "Its own lines"}),
            column=found["column"].map(HEADINGS),
            other_unit=[named(other) if other else "" for other in found["other_unit"]],
        ),
        columns={
            "why": Column("Part", pinned=True),
            "column": Column("Column"),
            "other_unit": Column("From or to"),
            "amount": Column("Amount", "money"),
        },
        currency=currency,
        key=f"parts-{currency}-{unit}",
        what="Parts of the charge",
        total={"amount": all_parts},
    )


def draw_pools(statement: Statement, currency: str, named: Named) -> None:
    """Each pool before and after, and by which rule it went."""
    found = pools(statement, currency)
    metrics.heading("What moved", found, f"pools-{currency}-{statement.billing_period}.csv")
    st.caption(
        "First what follows usage, then the rules in order. A rule takes only what no earlier rule "
        "took or moved."
    )
    tables.plain_table(
        found.assign(column=found["column"].map(HEADINGS), from_unit=found["from_unit"].map(named)),
        columns={
            "rule": Column("Rule", pinned=True),
            "column": Column("Column"),
            "from_unit": Column("From"),
            "pool": Column("Before", "money"),
            "moved": _amount("Moved"),
            "stays": _amount("Stays"),
            "receivers": Column("Receivers", "number"),
        },
        currency=currency,
        key=f"pools-{currency}",
        what="What moved, by rule",
    )


def draw_preview(
    statement: Statement, build: Callable[[str], Statement], currencies: list[str], named: Named
) -> None:
    """Tries rules from a text against the month; nothing is saved.

    Args:
        statement: as it is now.
        build: the statement under the rules of a text.
        currencies: of the bill.
        named: how people call a unit.
    """
    with st.expander("Try other rules", icon=":material/science:", key="screen-only-rules"):
        st.caption(
            "Try the section [allocation] of chargeback.toml on this month. Nothing is saved: copy "
            "what you want to keep into the file."
        )
        st.text_area("Rules", EXAMPLE, height=220, label_visibility="collapsed", key=TEXT)
        st.button("Try these rules", icon=":material/play_arrow:", on_click=_try)
        text = st.session_state.get(TRIED)
        if text is None:
            return
        with shown_problems():
            then = build(text)
            for currency in currencies:
                _draw_difference(statement, then, currency, named)
            for each in then.without_effect:
                st.info(plain(each.words), icon=":material/info:")
            st.code(f"[allocation]\n{_in_section(text)}", language="toml")


def _try() -> None:
    """Keeps the text: what it comes to stays in sight while the reader goes on."""
    st.session_state[TRIED] = st.session_state[TEXT]


def _draw_difference(now: Statement, then: Statement, currency: str, named: Named) -> None:
    found = compare(now, then, currency)
    changed = int((found["difference"] != 0).sum())
    st.caption(plain(f"{count(changed, 'unit')} charged differently."))
    tables.plain_table(
        found.assign(unit=found["unit"].map(named)),
        columns={
            "unit": Column("Unit", pinned=True),
            "now": Column("Now", "money"),
            "then": Column("With these rules", "money"),
            "difference": Column("Difference", "money_change"),
        },
        currency=currency,
        key=f"try-{currency}",
        what="Charges with these rules",
        total=sums(found, "now", "then", "difference"),
    )


def _in_section(text: str) -> str:
    """The text as it stands in the section: rules named below it."""
    return text.replace("[[rules]]", "[[allocation.rules]]").replace("[allocation]\n", "").strip()


def statement_columns(
    statement: Statement, label: str, used: Collection[str], posted: Mapping[str, Column]
) -> dict[str, Column]:
    """The columns of the statement; what was billed beside the charge where that is another.

    Args:
        statement: what is shown.
        label: what a unit is, above the names.
        used: the columns of which some row has an amount; the others stand in the files only.
        posted: what is posted beside the charge.
    """
    return {
        "name": Column(label, pinned=True),
        "total_charge": Column(HEADINGS["total_charge"], "money"),
        **posted,
        **({"direct": _amount("Billed", BILLED)} if statement.settings.is_set else {}),
        **{name: _amount(HEADINGS[name]) for name in MONEY if name in used},
    }


def _amount(label: str, about: str | None = None) -> Column:
    return Column(label, "money", about, zero_is_absent=True)
