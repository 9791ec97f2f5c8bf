"""The section [statement]: whom a unit asks about its charge, and by when."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class StatementSettings(BaseModel):
    """What a unit's statement says of objections."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    contact: str = Field(default="", max_length=200)
    """Whom to ask: an address, a name, a channel."""
    dispute_days: int = Field(default=30, ge=1, le=366)
    """Counted from the day of the bill's figures, once the month is invoiced."""
