"""What this program's queries in Athena have cost, counted in a file of this machine."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from chargeback.billing_period import month_of, today
from chargeback.files.atomic import write_whole

PRICE_PER_TERABYTE = Decimal(5)
LEAST_BYTES = 10 * 1024**2
"""What Athena charges for a query at least (Amazon Athena pricing, "SQL queries")."""


class Spent(BaseModel):
    """What the queries of one calendar month (UTC) came to."""

    model_config = ConfigDict(frozen=True)

    queries: int = 0
    bytes_scanned: int = 0
    dollars: Decimal = Decimal()


_MONTHS = TypeAdapter(dict[str, Spent])


@dataclass(frozen=True, slots=True)
class AthenaCosts:
    """The count; of several programs on this machine that share the folder, the sum."""

    folder: Path

    def add(self, bytes_scanned: int) -> None:
        """Counts a query that Athena charges for. A folder that can't be written stops no query."""
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self._file.with_suffix(".lock")):
                months, month = self._months(), month_of(today())
                before = months.get(month, Spent())
                months[month] = Spent(
                    queries=before.queries + 1,
                    bytes_scanned=before.bytes_scanned + bytes_scanned,
                    dollars=before.dollars + price(bytes_scanned),
                )
                write_whole(self._file, _MONTHS.dump_json(months))

    def of(self, month: str) -> Spent:
        """What was counted in a month, YYYY-MM."""
        return self._months().get(month, Spent())

    @property
    def _file(self) -> Path:
        return self.folder / "athena-costs.json"

    def _months(self) -> dict[str, Spent]:
        try:
            return _MONTHS.validate_json(self._file.read_bytes())
        except (OSError, ValidationError):
            return {}


def price(bytes_scanned: int) -> Decimal:
    """What one query costs, in US dollars; regions differ a little, cancelled queries cost too."""
    return PRICE_PER_TERABYTE * max(bytes_scanned, LEAST_BYTES) / 1024**4
