"""Which questions need neither all that was used nor each session: fewer rows answer the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from chargeback.dimensions import BY_NAME
from chargeback.enrichment.tables import Grain, Rows


@dataclass(frozen=True, slots=True)
class FewerRows:
    """Rows that others of a grain were added up to (queries/store)."""

    rows: Rows
    of: Grain
    tells: frozenset[str]
    """The dimensions that they tell apart."""
    statements: frozenset[str]
    """Of queries/reports: those that only add up what the rows hold, and never count rows."""

    def answer(self, name: str, grain: Grain, parameters: Mapping[str, Any]) -> bool:
        """Whether they answer a statement, with these parameters, as all rows do."""
        asked = {each for each in BY_NAME if parameters.get(each) is not None}
        asked |= {parameters.get("dimension") or ""} - {""}
        return grain == self.of and name in self.statements and asked <= self.tells


WHO: Final = frozenset({"tenant", "team", "project", "cost_center", "principal", "account"})

FEWER: Final = (
    FewerRows(
        "daily_callers",
        "daily",
        WHO | {"iam_principal", "region"},
        frozenset({"caller_days", "days", "month_to_date", "ranking", "undated"}),
    ),
    FewerRows(
        "monthly_principals",
        "monthly",
        WHO | {"provider", "model", "region"},
        frozenset(
            {"attributed", "deciding_sources", "history", "leading_units", "ranking", "units"}
        ),
    ),
)


def rows_for(name: str, grain: Grain, parameters: Mapping[str, Any]) -> Rows:
    """The fewest rows that answer a statement."""
    enough = (each.rows for each in FEWER if each.answer(name, grain, parameters))
    return next(enough, grain)
