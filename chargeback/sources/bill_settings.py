"""The section [bill]: what counts as the bill, where that is not clear by itself."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

DefaultBasis = Literal["auto", "unblended", "net"]


def _as_share(value: Decimal) -> Decimal:
    if not 0 <= value <= 100:
        raise ValueError("a share is written 0.1 or 10, both ten percent, and is 100 at most")
    return value if value <= 1 else value / 100


def _account(text: str) -> str:
    if not re.fullmatch("[0-9]{12}", text):
        raise ValueError(f"{text} is no account: it is not twelve digits")
    return text


Account = Annotated[str, AfterValidator(_account)]
Share = Annotated[Decimal, AfterValidator(_as_share)]
"""A share of a whole: 0.1 and 10 are both ten percent."""


class BillSettings(BaseModel):
    """What counts as the bill, where that is not clear by itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    export: str | None = None
    """The name of the export that counts, where several bill one payer in a month."""
    exclude_products: tuple[str, ...] = ()
    """Product codes that are left out, for what only carries the name Bedrock."""
    basis: dict[Account, Literal["unblended", "net"]] = {}
    """Which cost counts, by payer account."""
    keep_if_usage_falls_by: Share = Decimal("0.1")
    """A delivery in which a payer's usage cost falls by more is not taken unasked."""
    keep_if_attributed_falls_by: Share = Decimal("0.1")
    """Nor one in which the attributed share of usage cost falls by more, in points."""
