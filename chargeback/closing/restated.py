"""A closed month against the bill as it is now.

A change of rules or of the program is never a difference: both sides are worked out under the
frozen rules by the present program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from chargeback.closing.book import ClosedMonth
from chargeback.closing.frozen_facts import copy_of, open_frozen
from chargeback.closing.posting import Corrected, due_to_sellers
from chargeback.closing.restated_file import Compared, compared_once
from chargeback.money import ZERO, exact_sum
from chargeback.statement.adjustments import Unit
from chargeback.statement.restatement import Restatement, restate
from chargeback.store.base import StoredPeriod
from chargeback.store.local import MANIFEST
from chargeback.store.manifest import Manifest
from chargeback.workspace import Workspace

ATTRIBUTION_FELL = "attribution-fell"


@dataclass(frozen=True)
class MonthRestatement:
    """How a closed month differs, by one kind of unit."""

    closed: ClosedMonth
    by: str
    restatement: Restatement
    corrected: Corrected
    """What is to be posted in all, exact."""
    holds_attribution_back: bool
    """Whether it is not posted that other units pay: it is not wanted, or tags have fallen away."""
    program_differs: bool
    """Whether the present program charges the frozen facts otherwise than was frozen."""


def is_unchanged(closed: ClosedMonth, period: StoredPeriod) -> bool:
    """Whether the store holds the very facts that were frozen."""
    frozen = Manifest.model_validate_json(closed.read(MANIFEST))
    now = period.manifest
    if frozen.spend_sha256 and frozen.spend_sha256 == now.spend_sha256:
        return True
    return (frozen.source_version, frozen.schema_version) == (
        now.source_version,
        now.schema_version,
    )


def restate_month(
    workspace: Workspace, closed: ClosedMonth, period: StoredPeriod, by: str
) -> MonthRestatement:
    """How a closed month differs from what the store holds of it.

    Args:
        workspace: opens both.
        closed: the month.
        period: the month's version in the store.
        by: a kind of unit that the month was closed by.

    Raises:
        Problem: one of them can't be read.
    """
    compared = compared_once(
        copy_of(closed, workspace.settings.store_folder),
        f"{period.key}|{by}",
        lambda: _compare(workspace, closed, period, by),
    )
    found = compared.restatement
    fell = period.refusal is not None and any(
        each.code == ATTRIBUTION_FELL for each in period.refusal.notices
    )
    holds_back = fell or not workspace.settings.close.post_attribution
    posted = _posted(closed, by)
    more = found.differences
    charged = {
        unit: exact_sum((posted.get(unit, ZERO), more.get(unit, ZERO)))
        for unit in posted.keys() | more.keys()
    }
    return MonthRestatement(
        closed=closed,
        by=by,
        restatement=found,
        corrected=Corrected(
            month=closed.month,
            charged=charged,
            attribution=found.attribution,
            holds_attribution_back=holds_back,
            sellers={(currency, entity): due for currency, entity, due in compared.sellers},
        ),
        holds_attribution_back=holds_back,
        program_differs=compared.program_differs,
    )


def _compare(workspace: Workspace, closed: ClosedMonth, period: StoredPeriod, by: str) -> Compared:
    """Both sides, read and compared by the present program."""
    frozen = open_frozen(closed, workspace.settings.store_folder)
    view, now = closed.statement(by).view, workspace.answers_on([period], frozen.rules)
    found = restate(frozen.answers, now, view, by, frozen.allocation)
    sellers = due_to_sellers(now, view)
    return Compared(
        billing_period=closed.month,
        bill_to_type=by,
        charges=found.charges,
        sellers=tuple((*at, due) for at, due in sellers.items()),
        program_differs=_without_zeros(found.closed) != _without_zeros(_posted(closed, by)),
    )


def _posted(closed: ClosedMonth, by: str) -> dict[Unit, Decimal]:
    """What the month charged each unit, exact."""
    return {at: each.exact for at, each in closed.documents(by).by_unit().items()}


def _without_zeros(charges: Mapping[Unit, Decimal]) -> dict[Unit, Decimal]:
    return {unit: charge for unit, charge in charges.items() if charge}
