"""The parts of the page Coverage: reasons, the fix for each, and what else is worth a look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any, Final

import pandas as pd
import streamlit as st

from chargeback.attribution.owner_list import OwnerList
from chargeback.billing_period import days_in, previous_month
from chargeback.dimensions import BY_NAME, UNALLOCATED
from chargeback.doctor.fixes import Fix, Subject, fixes, further_source, merge_rule
from chargeback.doctor.reasons import REASONS, RULES_ACT, title_of
from chargeback.formats import (
    ABSENT,
    count,
    money,
    month_name,
    percent,
    short_month,
    signed_money,
    signed_points,
)
from chargeback.money import ZERO
from chargeback.reports.callers import gateways
from chargeback.reports.frames import sums, total
from chargeback.reports.tags import disagreements, spellings, unused_keys
from chargeback.reports.unallocated import internal_use, unallocated_callers
from chargeback.ui import address, metrics, tables
from chargeback.ui.markdown import plain
from chargeback.ui.metrics import Figure
from chargeback.ui.owner_saving import ADD
from chargeback.ui.page_context import Context
from chargeback.ui.table import Column

Row = Mapping[Any, Any]

REASON: Final = "reason"
CALLER: Final = "caller"
LOOK: Final = "look"
"""Parameters of the address."""
INTERNAL: Final = "internal-use"
LONGEST: Final = 200
"""Callers of a reason that stand on the page; the file has all."""
FINANCE: Final = "Finance"
MERGES_SHOWN: Final = 20


def show_figures(
    history: pd.DataFrame, found: pd.DataFrame, dimension: str, month: str, currency: str
) -> None:
    """How much is attributed and how much is not, against last month, and who could be asked."""
    of = history[history["dimension"] == dimension]
    by_month = {row["billing_period"]: row for row in of.to_dict("records")}
    now, before = by_month[month], by_month.get(previous_month(month))
    last = f"vs {short_month(previous_month(month))[:3]}"
    left = {name: row["cost"] - row["attributed"] for name, row in by_month.items()}
    moved = (
        ""
        if before is None
        else signed_money(left[month] - left[before["billing_period"]], currency)
    )
    change = _points(now, before)
    metrics.draw(
        [
            Figure(
                f"Attributed to a {BY_NAME[dimension].noun}",
                percent(now["share"]),
                change,
                last if change else "",
                [float(row["share"]) for row in by_month.values() if row["share"] is not None],
                up_is_good=True,
            ),
            Figure(
                "Unallocated",
                money(left[month], currency),
                moved,
                last if moved else "",
                [float(amount) for amount in left.values()],
            ),
            *_parts(found, dimension, currency),
        ]
    )


def _points(now: Row, before: Row | None) -> str:
    if before is None or now["share"] is None or before["share"] is None:
        return ""
    return signed_points(now["share"] - before["share"])


def _parts(found: pd.DataFrame, dimension: str, currency: str) -> list[Figure]:
    """What is unallocated in parts: of callers who can be asked, or of none; internal use apart."""
    costs = dict(zip(found["reason"], found["cost"], strict=True))
    internal = costs.get(INTERNAL, ZERO)
    nobody = sum((costs[name] for name in costs if REASONS[name].without_callers), ZERO)
    callers = Figure(
        "Callers to ask",
        money(total(found) - nobody - internal, currency),
        help="A tag or a row in the owner list settles it.",
    )
    rest = Figure(
        "No caller named",
        money(nobody, currency),
        help="Tax, discounts, fees and some usage types: allocation rules settle it.",
    )
    if dimension != "tenant":
        return [callers, rest]
    return [
        Figure("Internal use", money(internal, currency), help=REASONS[INTERNAL].means),
        callers,
        rest,
    ]


def show_reasons(context: Context, dimension: str, found: pd.DataFrame) -> None:
    """The reasons, and what to do about the chosen one."""
    oldest, chosen = context.answers.months[-1], address.value(REASON)
    shown = found.assign(
        title=[title_of(reason) for reason in found["reason"]],
        since=[_since(since, oldest) for since in found["since"]],
        ask=[_whom_to_ask(row, dimension) for row in found.to_dict("records")],
        acts=[REASONS[reason].acts for reason in found["reason"]],
        callers=found["callers"].astype(object).where(found["callers"] > 0, None),
    )
    row = tables.plain_table(
        shown,
        columns={
            "title": Column("Reason", pinned=True),
            "cost": Column("Unallocated", "money"),
            "share": Column("Share", "share"),
            "callers": Column("Callers", "number", "IAM principals as billed."),
            "since": Column("Since"),
            "ask": Column("Ask", help="Who has the largest part of it."),
            "acts": Column(
                "A fix applies to",
                help="Owner lists and rules also apply to months already stored; tags do not.",
            ),
        },
        currency=context.view.currency,
        key=f"reasons {dimension}",
        select=True,
        what="Unallocated spend by reason",
        total=sums(found, "cost", "share"),
        current=tables.position_of(chosen, found["reason"]),
    )
    if row is not None and found["reason"].iloc[row] != chosen:
        address.go({REASON: [found["reason"].iloc[row]], CALLER: []})
    if chosen in set(found["reason"]):
        _show_reason(context, dimension, chosen)
    elif chosen:
        said = f"Nothing is unallocated for the reason {chosen} this month."
        st.warning(plain(said), icon=":material/link_off:")


def _since(since: str, oldest: str) -> str:
    return f"{month_name(since)}{' or earlier' if since == oldest else ''}"


def _whom_to_ask(row: Row, dimension: str) -> str:
    """The team where one is known; a caller's account else."""
    if dimension != "team" and row["team"]:
        return f"Team {row['team']}"
    is_nobodys = not row["callers"] and REASONS[row["reason"]].without_callers
    return FINANCE if is_nobodys else f"Account {row['account']}"


def _show_reason(context: Context, dimension: str, reason: str) -> None:
    about = REASONS[reason]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(about.title, anchor=False, width="stretch")
        st.button("Close", icon=":material/close:", type="tertiary", on_click=_close)
    st.markdown(plain(about.means))
    if reason == INTERNAL:
        _show_internal_use(context)
        return
    chosen = _show_callers(context, dimension, reason)
    if chosen is not None:
        _show_fixes(context, dimension, reason, chosen)


def _close() -> None:
    address.write({REASON: [], CALLER: []})


def _show_internal_use(context: Context) -> None:
    view = context.view
    used = internal_use(context.answers, view)
    metrics.heading("By cost center and team", used, f"internal-use-{view.month}.csv")
    tables.plain_table(
        used,
        columns={
            "cost_center": Column("Cost center"),
            "team": Column("Team"),
            "cost": Column("Spend", "money"),
            "callers": Column("Callers", "number"),
        },
        currency=view.currency,
        key="internal use",
        what="Internal use by cost center",
        total=sums(used, "cost"),
    )
    st.page_link(
        "pages/chargeback.py",
        label="The month’s statement by cost center",
        icon=":material/receipt_long:",
        query_params=address.link({"charge_to": ["cost_center"]}),
    )


def _show_callers(context: Context, dimension: str, reason: str) -> Row | None:
    """The largest callers or meters of a reason; the one that is chosen, else the largest."""
    ask = partial(unallocated_callers, context.answers, context.view, dimension, reason)
    callers, month = ask(LONGEST), context.view.month
    if callers.empty:
        return None
    are_callers = bool(callers["caller"].any())
    what = "Callers" if are_callers else "Usage types"
    metrics.heading(what, callers, f"{dimension}-{reason}-{month}.csv", ask)
    found, sub = int(callers["found"].iloc[0]), address.value(CALLER)
    if found > len(callers):
        said = f"The {len(callers)} largest of {found:,}. The CSV has all of them."
        st.caption(plain(said))
    shown = callers.assign(
        title=[_named(row) for row in callers.to_dict("records")],
        since=[_since(since, context.answers.months[-1]) for since in callers["since"]],
        kind=[name if name != "none" else ABSENT for name in callers["principal_type"]],
        account=[row["account_name"] or row["account"] for row in callers.to_dict("records")],
        ask=_owners(context, callers),
    )
    rows = callers.to_dict("records")
    current = tables.position_of(sub, map(_key, rows)) or 0
    of_callers = {"kind": Column("Kind"), "ask": Column("Ask")} if are_callers else {}
    row = tables.plain_table(
        shown,
        columns={
            "title": Column(what[:-1], pinned=True),
            "cost": Column("Unallocated", "money"),
            **of_callers,
            "account": Column("Account"),
            "since": Column("Since"),
        },
        currency=context.view.currency,
        key=f"callers {dimension} {reason}",
        select=True,
        what=f"{what} by unallocated spend",
        current=current,
    )
    if row is not None and _key(rows[row]) != sub:
        address.go({CALLER: [_key(rows[row])]})
    return rows[current]


def _owners(context: Context, callers: pd.DataFrame) -> list[str]:
    """Whom to ask about each caller: as the owner lists say, else its team."""
    rules, month = context.workspace.settings.attribution, context.view.month
    lists = [OwnerList.read(path) for path in rules.owner_lists()]
    on = date.fromisoformat(f"{month}-{days_in(month)}")
    return [
        next(
            (
                email
                for owners in lists
                if (email := owners.owner_email(row["account"], row["caller"], on))
            ),
            f"Team {row['team']}" if row["team"] else ABSENT,
        )
        for row in callers.to_dict("records")
    ]


def _named(row: Row) -> str:
    if row["caller"]:
        return str(row["name"])
    return str(row["meter"]) or "(no usage type)"


def _key(row: Row) -> str:
    """A caller or meter in the address."""
    return str(row["principal"] if row["caller"] else f"{row['account']}/{row['meter']}")


def _show_fixes(context: Context, dimension: str, reason: str, row: Row) -> None:
    """Tags on one side, lists and rules on the other."""
    subject = Subject(row["caller"], row["account"], row["meter"])
    rules = context.workspace.settings.attribution
    offered = fixes(dimension, reason, subject, rules)
    spend = money(row["cost"], context.view.currency)
    st.markdown(f"##### To fix {plain(_named(row))}, {plain(spend)}")
    st.caption(plain("Replace what is in <ANGLE BRACKETS>: only you know it."))
    now = [fix for fix in offered if fix.acts == RULES_ACT]
    later = [fix for fix in offered if fix.acts != RULES_ACT]
    sides = [
        (side, group)
        for side, group in (
            ("Past months too: owner list and rules", now),
            ("From now on: tags", later),
        )
        if group
    ]
    for column, (side, group) in zip(st.columns(len(sides), gap="medium"), sides, strict=True):
        with column:
            st.markdown(f"**{side}**")
            for fix in group:
                draw_fix(fix)
                if fix.language == "csv" and subject.caller and rules.owner_lists():
                    st.page_link(
                        "pages/owners.py",
                        label="Add this row to the owner list",
                        icon=":material/playlist_add:",
                        query_params=address.link({ADD: [subject.pays_by]}),
                    )


def draw_fix(fix: Fix) -> None:
    """What to copy, and what it does."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(plain(fix.title))
        st.code(fix.text, language=fix.language, wrap_lines=True)
        if fix.note:
            st.caption(plain(fix.note))


def show_more(context: Context, dimension: str) -> None:
    """What else keeps a figure from being right."""
    looks: dict[str, tuple[str, Callable[[Context, str], None]]] = {
        "gateways": ("Gateways", _show_gateways),
        "spellings": ("Spelled twice", _show_spellings),
        "keys": ("Tags not used", _show_unused_keys),
        "sources": ("Sources that disagree", _show_disagreements),
    }
    labels = {name: label for name, (label, _) in looks.items()}
    st.subheader("Also worth a look", anchor=False)
    chosen = address.choice(LOOK, list(looks), labels)
    st.segmented_control(
        "Look at",
        list(looks),
        format_func=labels.__getitem__,
        default=chosen,
        required=True,
        label_visibility="collapsed",
        **address.control(LOOK, chosen),
    )
    looks[chosen][1](context, dimension)


def _show_gateways(context: Context, dimension: str) -> None:
    view, noun = context.view, BY_NAME[dimension].noun
    found = gateways(context.answers, view, dimension)
    title = f"Gateways: calls with and without a {noun}"
    metrics.heading(title, found, f"gateways-{dimension}-{view.month}.csv")
    st.caption("Roles through which many callers use Bedrock, each identified by session tags.")
    if found.empty:
        st.info("No role had sessions of many callers this month.", icon=":material/info:")
        return
    tables.plain_table(
        found,
        columns={
            "name": Column("Role"),
            "cost": Column("Spend", "money"),
            "named_share": Column(f"With a {noun}", "share"),
            "unnamed_cost": Column("Without", "money"),
            "callers": Column("Callers", "number"),
            "named_callers": Column(f"With a {noun}", "number"),
            "account": Column("Account"),
        },
        currency=view.currency,
        key=f"gateways {dimension}",
        what="Gateways by spend",
    )


def _show_spellings(context: Context, dimension: str) -> None:
    view, names = context.view, BY_NAME[dimension]
    if not names.tag:
        st.info("AWS names principals itself: none is spelled in two ways.", icon=":material/info:")
        return
    found = spellings(context.answers, view, dimension)
    title = f"{names.plural.capitalize()} that look like one, spelled twice"
    metrics.heading(title, found, f"spellings-{dimension}-{view.month}.csv")
    if found.empty:
        st.info(f"No {names.noun} is spelled in two ways.", icon=":material/check:")
        return
    tables.plain_table(
        found,
        columns={
            "value": Column("Spelled"),
            "cost": Column("Spend", "money"),
            "kept": Column("Also spelled"),
            "kept_cost": Column("Spend", "money"),
        },
        currency=view.currency,
        key=f"spellings {dimension}",
        what="Values spelled twice",
    )
    merged: dict[str, list[str]] = {}
    for value, kept in zip(found["value"], found["kept"], strict=True):
        if kept in merged or len(merged) < MERGES_SHOWN:
            merged.setdefault(kept, []).append(value)
    draw_fix(merge_rule(dimension, merged))


def _show_unused_keys(context: Context, dimension: str) -> None:
    view, rules = context.view, context.workspace.settings.attribution
    found = unused_keys(context.answers, view, rules)
    metrics.heading("Tags on the bill that no rule uses", found, f"tags-{view.month}.csv")
    if found.empty:
        st.info("The rules use every tag key on the bill.", icon=":material/check:")
        return
    tables.plain_table(
        found,
        columns={
            "key": Column("Key"),
            "cost": Column("On spend of", "money"),
            "values": Column("Values", "number"),
            "examples": Column("Such as"),
        },
        currency=view.currency,
        key="unused keys",
        what="Tag keys that no rule uses",
    )
    if BY_NAME[dimension].tag:
        draw_fix(further_source(dimension, found["key"].iloc[0], rules))


def _show_disagreements(context: Context, dimension: str) -> None:
    view, noun = context.view, BY_NAME[dimension].noun
    found = disagreements(context.answers, view, dimension)
    title = f"Callers whose sources name different {BY_NAME[dimension].plural}"
    metrics.heading(title, found, f"disagreements-{dimension}-{view.month}.csv")
    if found.empty:
        st.info(f"All sources name the same {noun}.", icon=":material/check:")
        return
    said = f"{count(len(found), 'caller')}. The first source in the rules decides."
    st.caption(plain(said))
    tables.plain_table(
        found.assign(name=found["name"].where(found["principal"] != UNALLOCATED, found["account"])),
        columns={
            "name": Column("Caller"),
            "cost": Column("Spend", "money"),
            "unit": Column(f"{noun.capitalize()} now"),
            "source": Column("Decided by"),
            "other_unit": Column("Would be"),
            "other_source": Column("By"),
        },
        currency=view.currency,
        key=f"disagreements {dimension}",
        what="Callers whose sources disagree",
    )
