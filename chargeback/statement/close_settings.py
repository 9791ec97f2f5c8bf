"""The section [close]: what a closed month is made out to, and what keeps it from being closed."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from chargeback.dimensions import CHARGED


class CloseSettings(BaseModel):
    """How months are closed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: tuple[str, ...] = Field(default=("tenant", "cost_center"), min_length=1)
    """The kinds of unit whose statements are frozen, and whose corrections are posted."""
    unallocated_limit: Annotated[Decimal, Field(ge=0, le=1)] | None = None
    """The share of a statement that may be charged to nobody; None for any."""
    post_attribution: bool = True
    """Whether it is posted that other units pay for what was billed all along."""
    two_people: bool = False
    """Whether who closes must not be who last changed owner lists or took a delivery."""

    @field_validator("by")
    @classmethod
    def _are_statements(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in names if name not in CHARGED]:
            raise ValueError(f"{', '.join(unknown)}: a statement is by {', '.join(CHARGED)}")
        return tuple(dict.fromkeys(names))
