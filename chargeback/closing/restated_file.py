"""What came of comparing a closed month with one version of it in the store, which never changes.

It is kept beside the copy of the frozen facts, and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from chargeback import query
from chargeback.enrichment.rules import PACKAGE, program
from chargeback.files.atomic import write_whole
from chargeback.statement.restatement import RestatedCharge, Restatement


class Compared(BaseModel):
    """A closed month beside a version of it; amounts are exact."""

    model_config = ConfigDict(frozen=True)

    billing_period: str
    bill_to_type: str
    charges: tuple[RestatedCharge, ...]
    sellers: tuple[tuple[str, str, Decimal], ...]
    """Currency, billing entity, and what is due to it now."""
    program_differs: bool

    @property
    def restatement(self) -> Restatement:
        """By unit and cause."""
        return Restatement(self.billing_period, self.bill_to_type, self.charges)


def compared_once(folder: Path, key: str, compare: Callable[[], Compared]) -> Compared:
    """What was kept, or what `compare` finds, which is kept from then on.

    Args:
        folder: of the copy of the frozen facts; there once something was compared.
        key: of the version in the store, and the kind of unit.
        compare: works it out.
    """
    digest = hashlib.sha256(f"{program()}|{_program()}|{key}".encode()).hexdigest()[:16]
    file = folder / f"restated-{digest}.json"
    try:
        return Compared.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        found = compare()
    write_whole(file, found.model_dump_json().encode())
    return found


@lru_cache(maxsize=1)
def _program() -> str:
    """Digest of what compares in this program."""
    files = sorted((PACKAGE / "statement").glob("*.py"))
    for room in ("reports", "restatement"):
        files += sorted((query.QUERIES / room).glob("*.sql"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
