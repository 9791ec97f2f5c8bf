"""A charge of the bill, or a unit's share of it, as a row of a FOCUS file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from chargeback.bedrock.models import UNRECOGNISED
from chargeback.bedrock.usage_type import NO_MODEL
from chargeback.billing_period import first_of_next
from chargeback.dimensions import UNALLOCATED
from chargeback.statement.focus.columns import Version
from chargeback.statement.focus.methods import TAG_PREFIX, method_id
from chargeback.statement.focus.splitting import Row, Share

PROVIDER = "AWS"
CATEGORIES = {"usage": "Usage", "tax": "Tax", "credit": "Credit"}
PURCHASES = {"Fee": "One-Time", "RIFee": "Recurring"}
"""Line item types that are purchases, with their frequency."""
ADJUSTMENT = "Adjustment"
SOLD = ("Usage", "Purchase")
SERVICES = {"AmazonBedrockAgentCore": "Amazon Bedrock AgentCore"}
SERVICE = "Amazon Bedrock"
SCALED = re.compile(r"(\d{1,9})([KM]) (.+)", re.ASCII)
SCALES = {"K": 1_000, "M": 1_000_000}
WEIGHED_IN = {"tokens": "Tokens"}
"""The unit of a weight; of all other weights that are costs, the currency."""
UNWEIGHED = frozenset({"even", "fixed"})

Cells = dict[str, object]
"""By column of a FOCUS file; a column that is missing is null."""


class RowMaker:
    """Makes the rows of one month's file.

    Args:
        version: of FOCUS.
        by: whom the statement charges.
        month: the billing period.
    """

    def __init__(self, version: Version, by: str, month: str) -> None:
        self._version = version
        self._by = by
        first = date.fromisoformat(f"{month}-01")
        self._start, self._end = midnight(first), midnight(first_of_next(first))

    def row(self, row: Row, share: Share, origin: str) -> Cells:
        """The row of a share.

        Args:
            row: the charge as billed.
            share: of it.
            origin: what names the charge, where it was split.
        """
        cost = share.amounts["cost"]
        return {
            **dict.fromkeys(("ProviderName", "InvoiceIssuerName"), PROVIDER),
            **dict.fromkeys(("ServiceProviderName", "HostProviderName"), PROVIDER),
            **dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), cost),
            **self._periods(row),
            **_accounts(row),
            **_kind(row),
            **_quantities(row, share),
            **_service(row),
            **self._charged(row, share, origin),
            "InvoiceId": row["invoice_id"] or None,
            "BillingCurrency": row["currency"],
            "x_IamPrincipal": row["iam_principal"] or None,
            "x_Model": None if row["model"] == NO_MODEL else row["model"],
            "x_LineItemType": row["line_item_type"] or None,
            "x_BillingEntity": row["billing_entity"] or None,
            "x_LegalEntity": row["legal_entity"] or None,
        }

    def _periods(self, row: Row) -> Cells:
        """A charge without a date is one of the whole billing period."""
        day = row["usage_date"]
        start = midnight(day) if day else self._start
        return {
            "BillingPeriodStart": self._start,
            "BillingPeriodEnd": self._end,
            "ChargePeriodStart": start,
            "ChargePeriodEnd": start + timedelta(days=1) if day else self._end,
        }

    def _charged(self, row: Row, share: Share, origin: str) -> Cells:
        unit = {TAG_PREFIX + self._by: share.unit}
        billed = (row["tags"], row["resource_tags"], row["cost_category"])
        is_split = bool(share.methods)
        says_apart = is_split and self._version == "1.3"
        return {
            "x_BillToType": self._by,
            "x_BillTo": share.unit,
            "x_AllocatedMethodId": method_id(share.methods) or None,
            "x_OriginChargeId": origin if is_split else None,
            "x_OriginBilledCost": row["cost"] if is_split else None,
            # An allocated charge keeps the tags of its origin: who is charged is in AllocatedTags.
            "Tags": as_json(_tags(*billed) if says_apart else {**_tags(*billed), **unit}),
            **(_allocated(row, share, unit) if says_apart else {}),
        }


def _allocated(row: Row, share: Share, unit: Mapping[str, str]) -> Cells:
    """What stays unallocated after a split has no resource that it is allocated to."""
    is_named = share.unit != UNALLOCATED
    name = share.unit if is_named else None
    return {
        "AllocatedMethodId": method_id(share.methods),
        "AllocatedMethodDetails": as_json({"Elements": [_element(row, share)]}),
        "AllocatedResourceId": name,
        "AllocatedResourceName": name,
        "AllocatedTags": as_json(unit) if is_named else None,
    }


def _element(row: Row, share: Share) -> Cells:
    element: Cells = {"AllocatedRatio": share.ratio}
    if share.by not in UNWEIGHED:
        element["UsageUnit"] = WEIGHED_IN.get(share.by, row["currency"])
        element["UsageQuantity"] = share.weight
    return element


def midnight(day: date) -> datetime:
    """When a day begins, in UTC."""
    return datetime.combine(day, time(), UTC)


def _accounts(row: Row) -> Cells:
    """The bill names no payer: its number stands for its name."""
    payer, account = row["payer_account_id"], row["usage_account_id"] or None
    return {
        "BillingAccountId": payer,
        "BillingAccountName": payer,
        "BillingAccountType": "Payer Account",
        "SubAccountId": account,
        "SubAccountName": account and (row["usage_account_name"] or account),
        "SubAccountType": account and "Linked Account",
    }


def category_of(row: Row) -> str:
    """The ChargeCategory of a charge, by its `line_item_type` and `charge_category`."""
    if row["line_item_type"] in PURCHASES:
        return "Purchase"
    return CATEGORIES.get(row["charge_category"], ADJUSTMENT)


def _kind(row: Row) -> Cells:
    category = category_of(row)
    otherwise = "Usage-Based" if category == "Usage" else "One-Time"
    frequency = PURCHASES.get(row["line_item_type"], otherwise)
    meter = row["usage_type"] or row["product_code"]
    return {
        "ChargeCategory": category,
        "ChargeFrequency": frequency,
        "ChargeDescription": f"{row['line_item_type'] or ADJUSTMENT}: {meter}",
        "SkuId": meter if category in SOLD else None,
        "SkuMeter": row["token_type"] or None if category in SOLD else None,
    }


def _quantities(row: Row, share: Share) -> Cells:
    """Of usage and purchases what was priced; of usage what was used, in tokens if it was."""
    is_usage = row["charge_category"] == "usage"
    priced, tokens = share.amounts.get("usage_amount"), share.amounts.get("tokens")
    if priced is None or not (is_usage or row["line_item_type"] in PURCHASES):
        return {}
    unit = unit_of(row["pricing_unit"])
    used = {"PricingQuantity": priced, "PricingUnit": unit}
    if not is_usage:
        return used
    if tokens is None:
        return {**used, "ConsumedQuantity": priced, "ConsumedUnit": unit}
    return {**used, "ConsumedQuantity": tokens, "ConsumedUnit": "Tokens"}


def unit_of(pricing_unit: str) -> str:
    """`1K tokens` as FOCUS writes it: `1000 tokens`."""
    if found := SCALED.fullmatch(pricing_unit):
        number, scale, unit = found.groups()
        return f"{int(number) * SCALES[scale]} {unit}"
    return pricing_unit or "Units"


def _service(row: Row) -> Cells:
    resource, region = row["resource_id"] or None, row["region"] or None
    return {
        "PublisherName": _publisher(row),
        "ServiceName": SERVICES.get(row["product_code"], SERVICE),
        "ServiceCategory": "AI and Machine Learning",
        "ServiceSubcategory": "Generative AI",
        "ResourceId": resource,
        "ResourceType": resource and _resource_type(resource),
        "RegionId": region,
        "RegionName": region,
    }


def _publisher(row: Row) -> str:
    """Who makes the model; of what is not recognised, who sells it."""
    if row["provider"] in ("", UNRECOGNISED):
        return str(row["legal_entity"] or PROVIDER)
    return str(row["provider"])


def _resource_type(resource: str) -> str:
    """`arn:aws:bedrock:…:application-inference-profile/…` is an Application inference profile."""
    *_, last = resource.split(":", 5)
    kind = last.partition("/")[0].replace("-", " ").capitalize()
    return kind if resource.startswith("arn:") and kind else "Resource"


@lru_cache(maxsize=4096)
def _tags(tags: str, resource_tags: str, cost_category: str) -> dict[str, Any]:
    categories = {f"costCategory/{key}": value for key, value in json.loads(cost_category).items()}
    return {**json.loads(tags), **json.loads(resource_tags), **categories}


def as_json(value: object) -> str:
    """JSON whose numbers are as exact as the Decimals they were."""
    match value:
        case Decimal():
            return f"{value:f}"
        case dict():
            return "{" + ", ".join(f"{as_json(k)}: {as_json(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(as_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
