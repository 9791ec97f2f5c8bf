"""What closing a month would freeze, worked out once for a state of the store and the ledger."""

from __future__ import annotations

import hashlib
from typing import Final

import streamlit as st

from chargeback.closing.close import Preview, preview_close
from chargeback.closing.statements import Statements
from chargeback.ui.page_context import Context

_KEPT: Final = "close preview"
"""In the session: Cost Explorer costs money, and is not asked again whenever somebody types."""


def preview_of(context: Context) -> Preview:
    """What closing the month that is shown would freeze now. Raises Problem."""
    statements, month = context.statements, context.view.month
    known: tuple[Statements, Preview] | None = st.session_state.get(_KEPT)
    if known is not None and known[0] is statements and known[1].month == month:
        return known[1]
    with st.spinner("Working out what would be closed…"):
        preview = preview_close(statements, month)
    st.session_state[_KEPT] = (statements, preview)
    return preview


def digest_of(preview: Preview) -> str:
    """Changes with every amount that would be frozen, and with all that stands in the way."""
    said = [
        *(each.documents.model_dump_json() for each in preview.made if each.documents),
        *(each.model_dump_json() for each in preview.blockers),
        *preview.remarks,
    ]
    return hashlib.sha256("\0".join((preview.month, *said)).encode()).hexdigest()
