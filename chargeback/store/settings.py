"""The section [store]: where the spend store lives, and what it keeps as one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

FEWEST = 5
"""Sessions above which a role's may be kept as one: with more it is a gateway, folded or not."""


class StoreSettings(BaseModel):
    """How the spend is kept. `store = "…"` is short for its location."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    location: Literal["athena"] | Path | None = None
    """The folder; None: data/demo/store for the demo, data/store otherwise; 'athena': tables in
    Athena."""
    fold_sessions_above: int | None = Field(default=None, ge=FEWEST)
    """A role's sessions in a billing period, of equal session tags, that nothing tells from their
    role: more than so many are kept as one. None: each is kept as billed."""

    @property
    def is_in_athena(self) -> bool:
        """Whether it is kept in tables in Athena."""
        return self.location == "athena"


def spelled_out(values: dict[str, Any]) -> dict[str, Any]:
    """Settings with `store` as a section, so that what other sources say of it joins it."""
    store = values.get("store", {})
    if isinstance(store, StoreSettings):
        return {**values, "store": store.model_dump(exclude_unset=True)}
    if "store" not in values or isinstance(store, dict):
        return values
    return {**values, "store": {"location": store}}
