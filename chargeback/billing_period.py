"""Moments as they are read from files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


UtcMoment = Annotated[datetime, AfterValidator(_in_utc)]
"""In Python's own UTC: pydantic_core 2's time zones can crash a program that ends while some are
part of a cycle of objects."""
