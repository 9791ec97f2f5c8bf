"""An open month on the Close page: what stands in the way, what is frozen, posted, the button."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

import streamlit as st

from chargeback.billing_period import first_of_next, is_over
from chargeback.closing.blockers import NOT_RECONCILED, TOO_MUCH_UNALLOCATED
from chargeback.closing.close import Preview, why_not_to_close
from chargeback.dimensions import page_file
from chargeback.formats import date_name, money, month_name
from chargeback.reconciliation.compare import Reconciliation
from chargeback.statement.documents import Despite, DocumentSet
from chargeback.ui import (
    address,
    adjustments,
    close_acts,
    close_documents,
    close_ledger,
    problems,
    sign_in,
)
from chargeback.ui.close_preview import digest_of, preview_of
from chargeback.ui.markdown import plain
from chargeback.ui.page_context import Context

MEANS: Final = {
    NOT_RECONCILED: "Until it is explained, the statements may charge more or less than AWS "
    "invoices.",
    TOO_MUCH_UNALLOCATED: "What is charged to nobody stays with whoever pays the AWS bill.",
    "delivery-smaller": "The statements would be frozen on the earlier delivery.",
    "attribution-fell": "The statements would be frozen on the earlier delivery.",
    "basis-open": "Discounts may be taken off twice, or not at all.",
    "column-missing": "Charges may be missing from every statement.",
}
"""What it would mean to close despite this."""
WAYS: Final = {
    NOT_RECONCILED: ("reconciliation",),
    TOO_MUCH_UNALLOCATED: ("coverage", "owners"),
}
"""The pages where it is settled; Setup for the rest."""
PAGES: Final = {
    "reconciliation": "Reconciliation",
    "coverage": "Coverage",
    "owners": "Owner list",
    "setup": "Setup",
}
CHECKED: Final = "What was checked, and by whom"
CHANGED: Final = (
    "The bill, or what stands in the way, has changed since you looked: nothing was closed. Check "
    "what is shown now, then close."
)
DESPITE: Final = "What was checked, and why the month is closed despite what stands in the way"


def draw(context: Context) -> None:
    """The month, and the way to close it for whoever may. Raises Problem."""
    statements, month = context.statements, context.view.month
    close_acts.say_it_is_open(month)
    if why := why_not_to_close(statements, month):
        _say_why_not(context, why)
        _draw_accrual(context)
        return
    st.subheader(plain(f"Close {month_name(month)}"), anchor=False)
    preview = preview_of(context)
    despite = _draw_blockers(context, preview)
    _say_checked(preview)
    _draw_frozen(preview)
    adjustments.draw_of_month(statements, preview.made)
    with st.container(key="screen-only-close"):
        _draw_way(context, preview, despite)
    _draw_accrual(context)


def _draw_accrual(context: Context) -> None:
    """For the month end, before the bill is complete."""
    with st.container(key="screen-only-accrual"), problems.shown_problems():
        close_ledger.draw_open(context)


def _say_why_not(context: Context, why: str) -> None:
    """Why the month can't be closed, and the way to the one that comes first."""
    close_acts.say_what_failed()
    statements, month = context.statements, context.view.month
    newest, first = statements.book.newest, statements.posting_month
    if not is_over(month, statements.today):
        then = date_name(first_of_next(statements.today.fromisoformat(f"{month}-01")))
        why = f"{month_name(month)} is not over. It can be closed from {then} (UTC)."
    elif newest and month < newest.month:
        why = (
            f"{month_name(newest.month)} is closed. Months are closed in order: a month before it "
            "can’t be closed any more."
        )
    elif first:
        why = f"Months are closed in order: {month_name(first)} comes first."
    st.info(plain(why), icon=":material/event_upcoming:")
    if first and first != month and is_over(first, statements.today):
        st.page_link(
            page_file("close"),
            label=f"Close {month_name(first)}",
            icon=":material/arrow_forward:",
            query_params=address.link({address.MONTH: [first]}),
        )


def _draw_blockers(context: Context, preview: Preview) -> list[str]:
    """What stands in the way, each with what to do; returns the codes that are overridden."""
    may_change = sign_in.viewer(context.workspace.settings).may_change
    overridden = []
    found = sorted(preview.blockers, key=lambda each: each.code)
    for code, of_code in groupby(found, key=lambda each: each.code):
        with st.container(border=True, gap="small"):
            _draw_blocker(code, list(of_code))
            if may_change and st.checkbox(
                "Close despite this (say why in the note)", key=f"despite-{preview.month}-{code}"
            ):
                overridden.append(code)
    return overridden


def _draw_blocker(code: str, found: Sequence[Despite]) -> None:
    st.badge("Stands in the way", icon=":material/block:", color="red")
    for each in found:
        st.markdown(plain(each.words))
    if code in MEANS:
        st.caption(MEANS[code])
    with st.container(horizontal=True):
        for page in WAYS.get(code, ("setup",)):
            st.page_link(
                page_file(page),
                label=PAGES[page],
                icon=":material/arrow_forward:",
                query_params=address.link(),
            )


def _say_checked(preview: Preview) -> None:
    """What was checked, and what must be known all the same."""
    for each in preview.found:
        if each.comparisons and not each.unexplained:
            st.success(plain(_reconciled(each)), icon=":material/check_circle:")
    for remark in preview.remarks:
        st.info(plain(remark), icon=":material/info:")


def _reconciled(found: Reconciliation) -> str:
    others = [each.other for each in found.comparisons]
    named = f"{', '.join(others[:-1])} and {others[-1]}" if len(others) > 1 else others[0]
    return (
        f"The bill of {money(found.cur, found.currency)} agrees with {named}: nothing is "
        "unexplained."
    )


def _draw_frozen(preview: Preview) -> None:
    st.subheader("What is frozen", anchor=False)
    close_documents.draw(list(_sets(preview)), "frozen")
    st.caption(
        "With the files that are sent, the bill’s lines, the rules, the owner lists and the "
        "reconciliation behind them."
    )


def _sets(preview: Preview) -> Iterator[DocumentSet]:
    return (each.documents for each in preview.made if each.documents)


def _draw_way(context: Context, preview: Preview, despite: list[str]) -> None:
    """The note and the button, or who may close; a click counts only for what was shown."""
    shown, asked = digest_of(preview), close_acts.clicked("close")
    viewer = sign_in.viewer(context.workspace.settings)
    note = _ask_for_note(preview) if viewer.may_change else ""
    close_acts.say_what_failed()
    place = st.empty()
    if asked == shown:
        close_acts.close(context, place, note, despite)
    elif asked:
        st.warning(CHANGED, icon=":material/sync_problem:")
    if viewer.may_change:
        blocked = bool(preview.open(despite))
        close_acts.button(place, "close", preview.month, shown, disabled=blocked)
    else:
        said = f"You can see what would be closed, but not close it. {viewer.who_may}"
        place.info(plain(said), icon=":material/lock:")


def _ask_for_note(preview: Preview) -> str:
    asks = DESPITE if preview.blockers else CHECKED
    return st.text_area("Note", key=f"note-{preview.month}", height=80, placeholder=asks)
