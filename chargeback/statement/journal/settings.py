"""The section [journal]: the accounts that a month is posted to, beside those of its units."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from chargeback.files.cells import neutralise


def _code(text: str) -> str:
    if why := code_fault(text):
        raise ValueError(f"{text!r} {why}")
    return text


def code_fault(text: str) -> str:
    """Why a text can't be an account's number or a dimension's value; '' if it can.

    Codes go into files as they are: an apostrophe before one, as before other people's text, would
    make another code of it.
    """
    if neutralise(text) != text:
        return "begins like a formula of a spreadsheet"
    return "" if text.isprintable() and text == text.strip() else "has blanks or signs around it"


Code = Annotated[str, AfterValidator(_code)]
"""Of an account, as the ledger spells it; '' for none."""


class JournalSettings(BaseModel):
    """Where a month is posted: units' accounts are in a list, the others are named here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accounts: Path = Path("accounts.csv")
    """The list of units' accounts."""
    clearing_account: Code = ""
    """Is credited with what units are debited."""
    tax_account: Code = ""
    """Is debited with units' tax; '' where it goes to the units' own accounts."""
    clearing: dict[str, Code] = {}
    """By billing entity, as in CUR, the account to credit where it is not clearing_account."""

    def clearing_of(self, billing_entity: str) -> str:
        """The account that is credited with what is due to a seller."""
        return self.clearing.get(billing_entity, self.clearing_account)
