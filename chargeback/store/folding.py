"""Sessions of a role that are kept as one, where a role has many that nothing tells apart."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Protocol

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from chargeback import database, query

SESSIONS = pa.schema([(name, pa.string()) for name in ("iam_principal", "folded", "session_tags")])
"""Of rows of queries/store/sessions.sql: under which ARN each may be kept, and its session tags."""
FOLDS = pa.schema([(name, pa.string()) for name in ("iam_principal", "folded")])
"""The columns of queries/store/folds.sql."""

BATCH = 100_000
"""Identities of sessions that are looked at at a time."""


class FoldedTotal(BaseModel):
    """What sessions that are kept as one come to in one currency."""

    model_config = ConfigDict(frozen=True)

    currency: str
    roles: int
    sessions: int
    lines: int
    """CUR lines."""
    rows_before: int
    rows_after: int
    """Of the store."""
    unblended_total: Decimal
    net_total: Decimal


class Folded(BaseModel):
    """Which sessions of a billing period are kept as one."""

    model_config = ConfigDict(frozen=True)

    above: int
    """More than so many of a role."""
    totals: tuple[FoldedTotal, ...] = ()
    principals: tuple[str, ...] = ()
    """The ARNs under which they are kept."""
    session_rules: tuple[str, ...] = ()
    """Digests of what of the rules could tell sessions of these roles apart, and told none of
    those that are kept as one."""


class Folding(Protocol):
    """Says which sessions a store keeps as one, and of which months that is no longer right."""

    @property
    def parameters(self) -> dict[str, int]:
        """What the rules say to queries/store/sessions.sql."""

    def above(self, billing_period: str) -> int | None:
        """How many sessions of a role stay as billed at most; None for all of a month."""

    def sessions(self, identities: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        """The rows of queries/store/sessions.sql as SESSIONS. Raises OwnerListError."""

    def session_rules(self, principals: Collection[str]) -> tuple[str, ...]:
        """Digests of what of the rules can tell sessions apart that are kept under these ARNs."""

    def is_outdated(self, billing_period: str, folded: Folded | None) -> bool:
        """Whether a month is to be read anew, as other sessions of it would be kept as one now."""


def decide(sessions: Iterable[pa.RecordBatch], above: int, out: Path) -> tuple[str, ...]:
    """Writes the rows of queries/store/folds.sql to a Parquet file.

    Args:
        sessions: of `Folding.sessions`.
        above: how many stay as they are at most.
        out: the file.

    Returns:
        The ARNs under which sessions are kept as one; none where all stay.
    """
    with database.connect() as connection:
        # For what doesn't fit into memory; DuckDB removes it.
        database.overflow_to(connection, out.with_suffix(".overflow"))
        reader = pa.RecordBatchReader.from_batches(SESSIONS, iter(sessions))
        connection.from_arrow(reader).create("read_sessions")
        folds = query.into_file(query.duckdb_sql("store/folds"))
        connection.execute(folds, {"above": above, "out": str(out)})
        found = connection.read_parquet(str(out)).project("folded").distinct().order("folded")
        return tuple(folded for (folded,) in found.fetchall())
