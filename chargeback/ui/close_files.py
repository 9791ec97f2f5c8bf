"""The files of a closed month on the Close page: as they were frozen, and what is made of them."""

from __future__ import annotations

import io
from functools import partial

import streamlit as st

from chargeback.closing.book import ClosedMonth
from chargeback.closing.pack_archive import pack_archive, pack_name
from chargeback.closing.sent import export_names, frozen_file
from chargeback.dimensions import CHARGED
from chargeback.statement.export import allocation_name, file_names
from chargeback.statement.restatement import Restatement, restated_file_name, write_restatement
from chargeback.statement.unit_files import archive_name
from chargeback.statement.workbook import workbook_name
from chargeback.ui.page_context import Context
from chargeback.ui.tables import download_button


def draw(context: Context, closed: ClosedMonth) -> None:
    """What was frozen, a row of buttons for each kind of unit; then all of it, and the ledger's."""
    st.subheader("Files as they were closed", anchor=False)
    for by in closed.record.by:
        st.caption(f"By {CHARGED[by].noun}")
        with st.container(horizontal=True):
            for name, label in _names(closed, by).items():
                make = partial(frozen_file, closed, by, name)
                download_button(label, make, name, f"frozen-{by}-{name}")
    st.caption("All together")
    with st.container(horizontal=True):
        name = pack_name(closed)
        download_button(
            "Everything (ZIP)", partial(pack_archive, closed), name, "frozen-everything"
        )
        _restatements(context)


def _restatements(context: Context) -> None:
    """What has changed since, where something has."""
    statements, month = context.statements, context.view.month
    for by in statements.book.require(month).record.by:
        if found := statements.restatement(month, by):
            download_button(
                f"Restatement by {CHARGED[by].noun} (CSV)",
                partial(_restatement, found.restatement),
                restated_file_name(by, month),
                f"restatement-{by}",
            )


def _names(closed: ClosedMonth, by: str) -> dict[str, str]:
    """The files by one kind of unit, with what they are called."""
    month = closed.month
    charges, detail, manifest = file_names(month, by)
    labels = {
        charges: "Statement (CSV)",
        detail: "Detail (CSV)",
        allocation_name(month, by): "Allocation (CSV)",
        manifest: "Manifest (JSON)",
    }
    return {name: labels[name] for name in export_names(closed, by)} | {
        workbook_name(month, by): "Workbook (XLSX)",
        archive_name(month, by): "One-page statements (ZIP)",
    }


def _restatement(restatement: Restatement) -> bytes:
    out = io.BytesIO()
    write_restatement(restatement, out)
    return out.getvalue()
