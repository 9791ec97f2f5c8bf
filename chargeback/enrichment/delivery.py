"""Whether a newer delivery of a month holds less than the version in force.

AWS rewrites a month several times a day, and delivers half a month, or one without its tags, as
quietly as a whole one. Compared are usage costs on the days that the version in force holds: tax,
credits, refunds and discounts come and go with the invoice, and CUR lines with the granularity.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from chargeback.attribution.attribution import Attribution
from chargeback.attribution.identity import identity_of
from chargeback.attribution.rules import AttributionRules
from chargeback.dimensions import ATTRIBUTED, BY_NAME, UNALLOCATED
from chargeback.enrichment.rules import Rules
from chargeback.money import ZERO
from chargeback.notices import Notice, notice, written
from chargeback.sources.bill_settings import BillSettings
from chargeback.store.manifest import Compare

SMALLEST_FALL = Decimal(10)
"""In the bill's currency: a fall by less is never held back."""
WORTH_SAYING = Decimal("0.01")
"""A fall by a larger share that is taken all the same is said."""
ATTRIBUTING = {
    "iam_principal": BY_NAME["iam_principal"].label,
    **{dimension.name: dimension.noun for dimension in ATTRIBUTED},
}
"""What says whose a line is, with its name for people."""


@dataclass(slots=True)
class _Usage:
    """Usage cost of one payer account and currency, and what of it says whose it is."""

    cost: Decimal = ZERO
    attributed: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


def delivery_comparison(rules: Rules) -> Compare:
    """What says what is less in a delivery, by the tag keys of `rules` and their limits."""
    return partial(compare, rules=rules.attribution, bill=rules.bill)


def compare(
    month: str,
    before: Sequence[Mapping[str, Any]],
    now: Sequence[Mapping[str, Any]],
    rules: AttributionRules,
    bill: BillSettings,
) -> tuple[Notice, ...]:
    """What is less in a new delivery: notices of which those that block keep it from being taken.

    Args:
        month: the billing period.
        before: rows of queries/store/usage_by_tags.sql of the version in force.
        now: the same of the new delivery, over the days of the version in force.
        rules: their tag keys say what attributes a line.
        bill: by how much usage and attribution may fall.
    """
    kept, found = _by_payer(before, rules), _by_payer(now, rules)
    notices: list[Notice] = []
    for (payer, currency), usage in kept.items():
        new = found.get((payer, currency))
        about = {"payer": payer or "(none)", "period": month}
        notices += _smaller(usage, new, currency, bill, about)
        notices += _less_attributed(usage, new, currency, bill, about)
    return tuple(notices)


def _smaller(
    kept: _Usage, found: _Usage | None, currency: str, bill: BillSettings, about: dict[str, str]
) -> Iterator[Notice]:
    new = found.cost if found else ZERO
    fall = kept.cost - new
    is_less = fall > kept.cost * bill.keep_if_usage_falls_by and fall > SMALLEST_FALL
    amounts = {
        "kept": written(kept.cost, currency),
        "found": written(new, currency) if found else "no line at all",
    }
    if found is None or (kept.cost > 0 and is_less):
        yield notice("delivery-smaller", amount=fall, currency=currency, about={**about, **amounts})
    elif kept.cost > 0 and fall > kept.cost * WORTH_SAYING:
        yield notice("usage-fell", amount=fall, currency=currency, about={**about, **amounts})


def _less_attributed(
    kept: _Usage, found: _Usage | None, currency: str, bill: BillSettings, about: dict[str, str]
) -> Iterator[Notice]:
    if found is None or kept.cost <= 0 or found.cost <= 0:
        return
    for what, name in ATTRIBUTING.items():
        share, new = kept.attributed[what] / kept.cost, found.attributed[what] / found.cost
        if share - new > bill.keep_if_attributed_falls_by:
            yield notice(
                "attribution-fell",
                amount=kept.attributed[what] - found.attributed[what],
                currency=currency,
                what=name,
                kept=f"{share:.1%}",
                found=f"{new:.1%}",
                about=about,
            )


def _by_payer(
    rows: Iterable[Mapping[str, Any]], rules: AttributionRules
) -> dict[tuple[str, str], _Usage]:
    tags_only = Attribution(AttributionRules.model_validate(rules.tag_keys()))
    found: dict[tuple[str, str], _Usage] = {}
    for row in rows:
        usage = found.setdefault((row["payer_account_id"], row["currency"]), _Usage())
        usage.cost += row["usage_cost"]
        for what in _attributing(row, tags_only):
            usage.attributed[what] += row["usage_cost"]
    return found


def _attributing(row: Mapping[str, Any], tags_only: Attribution) -> Iterator[str]:
    """What a line says of whose it is: its principal, and dimensions by its tags."""
    if row["has_principal"]:
        yield "iam_principal"
    nobody = {"usage_account_id": "", "iam_principal": ""}
    ((_, _, decided),) = tags_only.of(identity_of({**row, **nobody}))
    yield from (name for name, found in decided.items() if found.value != UNALLOCATED)
