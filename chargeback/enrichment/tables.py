"""What reports ask, whichever engine keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import pyarrow as pa
from sqlglot import exp

from chargeback import query
from chargeback.enrichment.bill import Bill
from chargeback.errors import SourceProblem

Grain = Literal["daily", "monthly"]
Rows = Literal["daily", "monthly", "daily_callers", "monthly_principals"]
"""Kinds of rows; the last two are fewer, and answer the same to what needs no more of them."""


class Tables(Protocol):
    """What answers the statements of queries/reports, from one state of the store."""

    @property
    def bills(self) -> Mapping[str, Bill]:
        """What each billing period comes to."""

    @property
    def problems(self) -> Mapping[str, SourceProblem]:
        """The billing periods that are missing, and why."""

    def answer(self, name: str, grain: Grain, parameters: Mapping[str, Any]) -> pa.Table:
        """The rows of a statement over the daily or the monthly spend. Raises SourceProblem."""

    def stream(
        self, name: str, grain: Grain, parameters: Mapping[str, Any]
    ) -> pa.RecordBatchReader:
        """The same, for more rows than memory should hold."""


def with_kinds_of_tokens(rows: exp.Table | exp.Subquery) -> exp.Subquery:
    """Daily or monthly rows as statements of queries/reports read them."""
    statement = query.with_table(query.load("store/kinds_of_tokens"), "enriched", rows)
    return exp.Subquery(this=statement)
