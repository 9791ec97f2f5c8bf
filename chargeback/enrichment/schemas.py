"""The columns of the tables that enrichment reads and makes, the same whichever engine does."""

from __future__ import annotations

from functools import lru_cache

import pyarrow as pa

from chargeback.enrichment.classify import ATTRIBUTED_IDENTITIES, RECOGNISED_METERS
from chargeback.enrichment.tables import Grain
from chargeback.query_schema import schema_of
from chargeback.sources.cur2 import result_schema


@lru_cache(maxsize=1)
def daily_schema() -> pa.Schema:
    """The columns of the daily rows: queries/store/daily.sql."""
    return schema_of(
        "store/daily",
        {
            "spend": result_schema("daily_spend"),
            "attributed_identities": ATTRIBUTED_IDENTITIES,
            "recognised_meters": RECOGNISED_METERS,
        },
    )


@lru_cache(maxsize=1)
def monthly_schema() -> pa.Schema:
    """The columns of the monthly rows: queries/store/monthly.sql."""
    return schema_of("store/monthly", {"enriched": daily_schema()})


@lru_cache(maxsize=64)
def report_schema(name: str, grain: Grain) -> pa.Schema:
    """The columns that queries/reports/NAME.sql gives over the daily or the monthly rows."""
    rows = daily_schema() if grain == "daily" else monthly_schema()
    read = schema_of("store/kinds_of_tokens", {"enriched": rows})
    return schema_of(f"reports/{name}", {"enriched": read})
