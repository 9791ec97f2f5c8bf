"""The control that narrows the list of principals to one kind."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from chargeback.reports.answers import Answers
from chargeback.reports.callers import KINDS, gateways, of_kind
from chargeback.reports.view import View
from chargeback.ui import address

KIND: Final = "kind"
"""The parameter of the address."""
ALL: Final = "all"
LABELS: Final = {
    ALL: "All",
    "people": "People",
    "applications": "Applications",
    "api-keys": "API keys",
    "gateways": "Gateways",
}
GATEWAY: Final = "A gateway is a role through which many callers use Bedrock."


def narrow(answers: Answers, view: View, ranking: pd.DataFrame) -> pd.DataFrame:
    """Draws the control; the rows of a ranking of principals that it asks for."""
    chosen = address.choice(KIND, (ALL, *KINDS), LABELS)
    st.segmented_control(
        "Show",
        (ALL, *KINDS),
        format_func=LABELS.__getitem__,
        default=chosen,
        required=True,
        help=GATEWAY,
        **address.control(KIND, chosen),
    )
    if chosen == ALL:
        return ranking
    return of_kind(ranking, chosen, gateways(answers, view, "tenant")["principal"])
