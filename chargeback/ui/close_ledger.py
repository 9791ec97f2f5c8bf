"""Files for the ledger on the Close page: accruals of open months, journals and FOCUS of closed."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile

import streamlit as st

from chargeback.closing.book import ClosedMonth
from chargeback.closing.ledger_files import accrual_of, journal_of, posted, posting_day
from chargeback.closing.statements import Statements
from chargeback.dimensions import CHARGED
from chargeback.statement.accrual_accuracy import days_missing, in_total, past_accruals
from chargeback.statement.accrual_file import file_names, write_accrual
from chargeback.statement.accrual_words import accuracy, said
from chargeback.statement.focus.columns import Version
from chargeback.statement.focus.write import write_focus
from chargeback.statement.journal.profile import profile_names, read_profile
from chargeback.statement.journal.write import write_journal
from chargeback.ui import problems
from chargeback.ui.markdown import plain
from chargeback.ui.page_context import Context
from chargeback.ui.tables import download_button

FOCUS_VERSION: Final[Version] = "1.3"
PIXELS: Final = 240


def draw_closed(context: Context, closed: ClosedMonth) -> None:
    """A journal for the ledger that is chosen, and the month as FOCUS has it."""
    st.subheader("Files for the ledger", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = _chosen(closed.record.by, "post")
        profile = st.selectbox(
            "Journal for",
            profile_names(),
            None,
            placeholder="Choose a ledger",
            key="journal-profile",
            width=PIXELS,
        )
        name = f"focus-{FOCUS_VERSION}-{by}-{closed.month}.zip"
        make = partial(_focus, context.statements, closed.month, by)
        download_button(f"FOCUS {FOCUS_VERSION} (ZIP)", make, name, f"focus-{by}")
    if profile:
        with problems.shown_problems():
            _draw_journal(context, closed.month, by, profile)


def draw_open(context: Context) -> None:
    """What an open month is likely to come to, on request: it takes a second or two."""
    statements, month = context.statements, context.view.month
    st.subheader("Accrual", anchor=False)
    by = _chosen(context.workspace.settings.close.by, "accrue")
    if not st.toggle("Estimate the month", key=f"accrual-{month}"):
        st.caption(
            "An estimate of the whole month to post before its bill is complete, with the entry "
            "that takes it back on the first day of the next month."
        )
        return
    accrual = accrual_of(statements, month, by)
    past = past_accruals(
        statements.answers(month),
        accrual.statement.view,
        by,
        statements.today,
        statements.allocation(month),
        days=days_missing(accrual),
    )
    for line in (*said(accrual), *accuracy(in_total(past))):
        st.markdown(f"- {plain(line[0].upper() + line[1:])}")
    write = partial(write_accrual, accrual, past)
    labels = ("Accrual (CSV)", "How far off past accruals would be (CSV)")
    with st.container(horizontal=True):
        for label, name in zip(labels, file_names(month, by), strict=True):
            download_button(label, partial(_one_of, write, name), name, name)


def _chosen(kinds: Iterable[str], key: str) -> str:
    """Which kind of unit, of those that months are closed by."""
    names = list(kinds)
    chosen = st.segmented_control(
        "By",
        names,
        format_func=lambda by: CHARGED[by].label,
        default=names[0],
        required=True,
        key=f"{key}-by",
    )
    return str(chosen)


def _draw_journal(context: Context, month: str, by: str, name: str) -> None:
    profile = read_profile(name)
    found = posted(context.statements, month, by)
    settings = context.workspace.settings.journal
    made = journal_of(found, settings, posting_day(month))
    with tempfile.TemporaryDirectory() as folder:
        files = {
            file.name: file.read_bytes() for file in write_journal(made, profile, Path(folder))
        }
    if not profile.certified_by_vendor:
        st.caption(plain(f"This layout is not certified by the vendor of {profile.system}."))
    for text in filter(None, (profile.before_import, profile.unverified)):
        st.caption(plain(text))
    with st.container(horizontal=True):
        for file, content in files.items():
            download_button(file, partial(bytes, content), file, file)


def _focus(statements: Statements, month: str, by: str) -> bytes:
    """The FOCUS files of a month in one archive."""
    answers, statement, out = statements.answers(month), statements.of(month, by), io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for file in write_focus(answers, statement, FOCUS_VERSION, Path(folder)).all:
            archive.write(file, file.name)
    return out.getvalue()


def _one_of(write: Callable[[Path], object], name: str) -> bytes:
    """One of several files that are written together."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        return (Path(folder) / name).read_bytes()
