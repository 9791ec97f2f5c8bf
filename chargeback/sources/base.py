"""What a bill can be read from, and what reading it takes and finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any, Protocol

import pyarrow as pa

from chargeback.notices import Notice


@dataclass(frozen=True, slots=True)
class SourcePeriod:
    """One billing period as its source holds it now."""

    billing_period: str
    """YYYY-MM."""
    version: str
    """Changes when, and only when, the source's data of this period may have changed."""
    data_as_of: datetime
    """When AWS last wrote the period (UTC)."""


@dataclass(frozen=True, slots=True)
class StoreKnowledge:
    """What the store knows already that decides how a period is read."""

    products: frozenset[tuple[str, str]] = frozenset()
    """Payer account and product code of what lines of other periods show to be Bedrock."""
    exports: tuple[str, ...] = ()
    """Names of the exports of which the period was made last."""


@dataclass(frozen=True, slots=True)
class Extract:
    """What reading one billing period took, and what it found."""

    notices: tuple[Notice, ...]
    products: tuple[tuple[str, str], ...] = ()
    """Payer account and product code of all that counted as Bedrock without a code that says so."""
    unexplained: tuple[tuple[str, str], ...] = ()
    """The same of Marketplace products that no line of the period names; they are left out."""
    exports: tuple[str, ...] = ()
    """Names of the exports that were read."""
    query_ids: tuple[str, ...] = ()
    bytes_scanned: int = 0


class Source(Protocol):
    """Where a bill comes from. Both kinds run the same statements."""

    name: str
    """For people: 'CUR 2.0 files'."""
    source_id: str
    """Tells two bills apart; equal for the same folder or table."""
    engine: str
    recheck_seconds: int
    """How long an answer of `periods` is good for while pages are shown."""
    is_charged: bool
    """Whether reading costs money."""
    parallel: int
    """How many periods may be read at a time."""

    def periods(self) -> list[SourcePeriod]:
        """The billing periods that the source holds, newest first. Raises SourceProblem."""

    def notices(self) -> tuple[Notice, ...]:
        """What is odd about the bill as a whole, as of the last look at its periods."""

    def extract(
        self, billing_period: str, out: Path, known: StoreKnowledge, stop: Event | None = None
    ) -> Extract:
        """Writes one period's daily spend to the Parquet file `out`. Raises SourceProblem.

        Once `stop` is set nobody waits for it: what costs money is to be cancelled.
        """

    def lines(self, parameters: dict[str, Any]) -> pa.Table:
        """The single CUR lines behind a number: queries/cur/lines.sql. Raises SourceProblem."""
