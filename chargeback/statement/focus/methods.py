"""What each AllocatedMethodId of a FOCUS file means, and how its columns were filled, as JSON.

FOCUS 1.3 has the maker of a split describe each of its methods, under one id.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from chargeback.statement.allocation import following_name
from chargeback.statement.build import Statement

TAG_PREFIX = "chargeback/"
"""Of the tag that names who is charged; the rest of its key is the kind of unit."""
FOLLOWS = "Goes to the units of the usage that it belongs to, in proportion to their usage cost."
WEIGHED = {
    "even": "In equal parts.",
    "direct cost": "In proportion to usage cost before anything moves.",
    "tokens": "In proportion to tokens used.",
    "fixed": "By fixed shares.",
}
COLUMNS = {
    "BilledCost": "The amount on the bill; all rows of a currency add up to the bill exactly.",
    "EffectiveCost": "As BilledCost: nothing is amortized.",
    "ListCost, ContractedCost": "As BilledCost: the bill holds no list or contracted prices.",
    "ProviderName, InvoiceIssuerName": (
        "AWS, also of what AWS Marketplace sells, as AWS invoices it. x_LegalEntity is the seller."
    ),
    "ChargeClass": "Empty: the bill does not say whether a charge corrects an earlier period.",
    "BillingAccountName": "The account number: the bill does not name the payer.",
    "AllocatedMethodId": (
        "How a charge was split (in 1.2 x_AllocatedMethodId). The charge itself is not in the "
        "file: x_OriginChargeId is the same in all its rows, and their BilledCost adds up to "
        "x_OriginBilledCost exactly."
    ),
    "x_BillTo": "Who is charged: what its rows come to is the unit's charge before rounding.",
}


Methods = tuple[str, ...]
"""The ids of all that moved a share, in order."""


def method_id(methods: Methods) -> str:
    """The id of a rule, or of what follows usage, or of both one after the other."""
    # A rule's own id may have any character: doubled, its plus signs are no separators.
    return "+".join(each.replace("+", "++") for each in methods)


def methods_json(statement: Statement, found: Iterable[Methods]) -> bytes:
    """The document, for the methods that are found in a file."""
    said = {
        "schema_version": 1,
        "billing_period": statement.billing_period,
        "period_status": statement.period_status,
        "data_as_of_utc": f"{statement.data_as_of:%Y-%m-%dT%H:%M:%SZ}",
        "bill_to_type": statement.bill_to_type,
        "tag_prefix": TAG_PREFIX,
        "columns": COLUMNS,
        "methods": [
            {
                "AllocatedMethodId": method_id(methods),
                "steps": [_step(statement, each) for each in methods],
            }
            for methods in sorted(found)
        ],
    }
    return (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode()


def _step(statement: Statement, id_: str) -> dict[str, Any]:
    for rule in statement.settings.rules_for(statement.bill_to_type, statement.billing_period):
        if rule.id == id_:
            said = rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            return {"id": id_, "name": rule.title, "weighed": WEIGHED[rule.by], "rule": said}
    return {"id": id_, "name": following_name(id_), "weighed": FOLLOWS}
