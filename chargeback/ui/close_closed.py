"""A closed month on the Close page: who closed it, its documents and files, the way to reopen."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from chargeback.closing.book import ClosedMonth
from chargeback.closing.reopen import why_not_to_reopen
from chargeback.closing.standing import standing
from chargeback.formats import count, moment, month_name
from chargeback.ui import (
    adjustments,
    close_acts,
    close_documents,
    close_files,
    close_ledger,
    close_restated,
    sign_in,
)
from chargeback.ui.markdown import plain
from chargeback.ui.page_context import Context


def draw(context: Context, closed: ClosedMonth) -> None:
    """The month as it was closed, and what has changed since. Raises Problem."""
    close_acts.say_who_was_first(closed)
    st.subheader(plain(f"{month_name(closed.month)} is closed"), anchor=False)
    for each in _facts(closed):
        st.markdown(f"- {plain(each)}")
    at = standing(context.statements, closed.month)
    if at.found:
        close_restated.draw(context, at)
    st.subheader("Documents", anchor=False)
    close_documents.draw([closed.documents(by) for by in closed.record.by], "posted")
    adjustments.draw_of_month(
        context.statements, [closed.statement(by, context.view.rows) for by in closed.record.by]
    )
    with st.container(key="screen-only-closed-files"):
        close_files.draw(context, closed)
        close_ledger.draw_closed(context, closed)
        _draw_reopening(context, closed)


def _facts(closed: ClosedMonth) -> Iterator[str]:
    record = closed.record
    revision = f", revision {record.revision}" if record.revision > 1 else ""
    yield f"Closed by {record.who}, {moment(record.when)}{revision}: {record.note}"
    yield from record.said


def _draw_reopening(context: Context, closed: ClosedMonth) -> None:
    """The reason and the button, or why the month stays closed; a click counts for this close."""
    month, shown = closed.month, closed.entry.close_sha256
    asked, viewer = close_acts.clicked("reopen"), sign_in.viewer(context.workspace.settings)
    newest = context.statements.book.newest
    close_acts.say_what_failed()
    if newest and why_not_to_reopen(context.statements, month):
        said = (
            f"Only the newest closed month, {month_name(newest.month)}, can be reopened. What "
            f"changes in {month_name(month)} is posted as adjustments in a later month."
        )
        st.caption(plain(said))
        return
    reason, sure, place = "", False, st.empty()
    if viewer.may_change:
        with place.expander(f"Reopen {month_name(month)}", icon=":material/lock_open:"):
            reason, sure = _ask(closed)
            place = st.empty()
    if asked == shown:
        close_acts.reopen(context, place, reason)
    elif asked:
        st.warning("The month was closed anew since you looked: nothing was reopened.")
    if viewer.may_change:
        close_acts.button(place, "reopen", month, shown, disabled=not sure)
    else:
        said = f"You can see this month, but not reopen it. {viewer.who_may}"
        place.info(plain(said), icon=":material/lock:")


def _ask(closed: ClosedMonth) -> tuple[str, bool]:
    """Why it is reopened, and whether somebody is sure."""
    documents = sum(len(closed.documents(by).documents) for by in closed.record.by)
    st.caption(
        plain(
            f"Its {count(documents, 'document')} will no longer stand; adjustments posted with it "
            "are posted with the next close instead. Nothing is deleted. If you have posted the "
            "documents to your ledger, reverse them there."
        )
    )
    reason = st.text_input("Reason", key=f"reason-{closed.entry.close_sha256}")
    sure = st.checkbox("Withdraw its documents", key=f"sure-{closed.entry.close_sha256}")
    return reason, sure
