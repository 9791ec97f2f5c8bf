"""What a reader looks at: a month, narrowed to what was chosen and to what the reader may see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from chargeback.access.rows import Rows
from chargeback.dimensions import DIMENSIONS
from chargeback.enrichment.tables import Grain

Conditions = tuple[tuple[str, tuple[str, ...]], ...]
"""Pairs of a dimension's name and the units asked for; all of them hold."""


@dataclass(frozen=True, slots=True)
class View:
    """One month, or the months up to it, narrowed to some rows of the bill."""

    month: str
    currency: str
    rows: Rows
    """Which rows whoever looks may see."""
    where: Conditions = ()
    days: int | None = None
    """Only usage dated on the first so many days of each month, to compare like with like; None
    for all lines of the bill."""
    first_month: str = ""
    """Where the months begin; '' for `month` alone."""
    all_currencies: bool = False
    """Whether `currency` does not count: for answers that keep currencies apart."""

    @classmethod
    def of_month(cls, month: str, rows: Rows) -> View:
        """All that the reader may see of a month, in all currencies."""
        return cls(month, "", rows, all_currencies=True)

    def narrowed(self, dimension: str, value: str) -> View:
        """The same view, one level further down."""
        return replace(self, where=(*self.where, (dimension, (value,))))

    def since(self, first_month: str) -> View:
        """The same view of all months from `first_month` on."""
        return replace(self, first_month=first_month)

    def first_days(self, days: int) -> View:
        """The same view of the first days of each month, to compare like with like."""
        return replace(self, days=days)

    @property
    def unfiltered(self) -> View:
        """All that the reader may see of the month, in the view's currency."""
        return View(self.month, self.currency, self.rows, all_currencies=self.all_currencies)

    @property
    def grain(self) -> Grain:
        """Of the rows that answer for it: only days need the daily ones."""
        return "monthly" if self.days is None else "daily"

    def parameters(self) -> dict[str, Any]:
        """The parameters of queries/reports/scope.sql; conditions on one dimension all hold."""
        lists: dict[str, list[str] | None] = {each.name: None for each in DIMENSIONS}
        for dimension, values in (*self.rows.only, *((d, v) for d, v in self.where if v)):
            before = lists[dimension]
            lists[dimension] = [v for v in values if before is None or v in before]
        for each in DIMENSIONS:
            lists[each.name] = _as_billed(lists[each.name], each.blank)
        return {
            "month": self.month,
            "first_month": self.first_month or self.month,
            "currency": None if self.all_currencies else self.currency,
            "days": self.days,
            **lists,
        }


def _as_billed(values: list[str] | None, blank: str) -> list[str] | None:
    """With '' where readers see what stands for it."""
    if values is None or not blank:
        return values
    return ["" if value == blank else value for value in values]
