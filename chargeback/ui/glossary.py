"""The words of AWS and of this dashboard that finance does not use, each in a sentence."""

from __future__ import annotations

from typing import Final

import streamlit as st

from chargeback.ui.markdown import plain

TERMS: Final = {
    "Allocation": "Moving charges that name nobody, or that everyone shares, to units by a rule.",
    "Attribution": "Deciding which tenant, team, project or cost center a charge belongs to: from "
    "the tags of the caller, from the owner list, or from other rules.",
    "Billing period": "The calendar month, in UTC, that AWS bills. It may include usage of an "
    "earlier month.",
    "Cost Explorer": "AWS’s own summary of the bill by service. It is updated at other times than "
    "the CUR, and shows tax separately.",
    "CUR": "AWS’s Cost and Usage Report, the detailed bill: one line for each charge, by hour or "
    "day, resource and caller. This dashboard reads the Bedrock lines of CUR 2.0.",
    "DuckDB, Athena": "The database engines that read the bill: DuckDB from files, Athena from a "
    "table at AWS. The figures are the same.",
    "Gateway": "An application role through which many callers use Bedrock. It opens a role "
    "session for each of them, with tags that say who it is.",
    "Line type": "What kind of charge a line is: usage, discount, credit, refund, tax or fee.",
    "Meter": "What AWS measures and prices, such as input tokens of one model in one region. AWS "
    "calls it a usage type.",
    "Owner list": "A file kept by finance that says who pays for a caller or account where no tag "
    "does.",
    "Principal": "Who called Bedrock, as AWS names it on the bill: an IAM role, user or API key. "
    "A caller, in short. Its full name is its ARN.",
    "Prompt cache": "Text that a model has read before. Writing it to the cache costs more than "
    "plain input; reading it again costs much less.",
    "Provisional, invoiced": "A month is provisional while AWS may still add to it, and invoiced "
    "once every charge is on an invoice.",
    "Role session": "One use of a role, with a name of its own: a person who signed in, or one "
    "caller of a gateway.",
    "Service tier": "How a call was served and priced: on demand, in batches, with priority, and "
    "so on.",
    "Tag": "A label, such as team or tenant, that an administrator put on a caller or resource.",
    "Token": "What models count text in, about four characters of English.",
    "Unallocated": "Charges that no tag, list or rule assigns to anyone.",
    "Unblended cost, net cost": "What a line costs before discounts, which then are lines of their "
    "own; and what it costs after them.",
}
"""In alphabetical order."""


def draw() -> None:
    """A button that opens the list."""
    with st.popover("Words used here", icon=":material/dictionary:", type="tertiary"):
        st.markdown("\n\n".join(f"**{name}.** {plain(text)}" for name, text in TERMS.items()))
