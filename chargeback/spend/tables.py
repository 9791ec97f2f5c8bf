"""What reports ask, whichever engine keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import pyarrow as pa

Grain = Literal["daily", "monthly"]


class Tables(Protocol):
    """What answers the statements of queries/reports, from one state of the store."""

    def answer(self, name: str, grain: Grain, parameters: Mapping[str, Any]) -> pa.Table:
        """The rows of a statement over the daily or the monthly spend. Raises SourceProblem."""

    def stream(
        self, name: str, grain: Grain, parameters: Mapping[str, Any]
    ) -> pa.RecordBatchReader:
        """The same, for more rows than memory should hold."""
