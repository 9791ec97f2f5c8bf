"""Which rows of the bill somebody may see.

Every view carries these conditions, so no question can be asked without them.
"""

from __future__ import annotations

from dataclasses import dataclass

from chargeback.access.change import Actor


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows for which all conditions hold; without a condition all rows."""

    only: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Pairs of a dimension's name and the units that may be seen."""


EVERYTHING = Rows()
"""For now, whoever may look may see all of the bill."""


def rows_of(actor: Actor) -> Rows:
    """Which rows somebody may see."""
    del actor
    return EVERYTHING
