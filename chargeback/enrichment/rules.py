"""The rules under which the facts are read: who pays, which cost counts, what is left out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from chargeback import __version__, query
from chargeback.attribution.owners import unreadable
from chargeback.attribution.rules import AttributionRules
from chargeback.sources.bill_settings import BillSettings, DefaultBasis

PACKAGE = Path(__file__).resolve().parent.parent
DECIDES = ("attribution", "bedrock", "enrichment")
"""The rooms of this program whose code decides what a line means."""


@dataclass(frozen=True)
class Rules:
    """Everything that somebody decided about what a line means; equal rules, equal figures."""

    attribution: AttributionRules
    cost_basis: DefaultBasis
    bill: BillSettings = field(default_factory=BillSettings)

    @property
    def parameters(self) -> dict[str, Any]:
        """What the rules say to the statements of queries/store."""
        return {
            "excluded": list(self.bill.exclude_products),
            "reads_resources": int(self.attribution.reads_resources),
            "is_dated": int(bool(self.attribution.owner_lists())),
        }

    @property
    def fingerprint(self) -> str:
        """Of the policy: changes when, and only when, somebody decided otherwise.

        Raises:
            OwnerListError: an owner list is there, but can't be read.
        """
        try:
            attribution = self.attribution.fingerprint()
        except OSError as error:
            raise unreadable(Path(error.filename).name, error) from error
        bill = self.bill.model_dump_json(include={"basis", "exclude_products"})
        return _digest(attribution, self.cost_basis, bill)

    @property
    def cache_key(self) -> str:
        """Changes with the policy, and with the program where that may read a line otherwise.

        Raises:
            OwnerListError: an owner list is there, but can't be read.
        """
        return _digest(self.fingerprint, __version__, program())


def _digest(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def program() -> str:
    """Digest of what decides in this program, so that a new release works everything out anew."""
    files = [file for room in DECIDES for file in sorted((PACKAGE / room).glob("*.py"))]
    files += [PACKAGE / "dimensions.py", *sorted((query.QUERIES / "store").glob("*.sql"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
