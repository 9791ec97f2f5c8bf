"""Which columns a FOCUS file has, with the types of their values.

Source: FinOps Open Cost and Usage Specification 1.2 and 1.3, Cost and Usage; 1.4, Billing Period
and Invoice Detail. Left out is what the bill in the store can't tell: prices of units and their
identifiers, capacity reservations, other currencies of prices and payments. Bedrock has no
availability zones, and its lines name no commitment discount: those columns are empty.
"""

from __future__ import annotations

from typing import Literal

import pyarrow as pa

Version = Literal["1.2", "1.3"]
VERSIONS: tuple[Version, ...] = ("1.2", "1.3")
TEXT = pa.string()
AMOUNT = pa.decimal128(38, 12)
TIME = pa.timestamp("us", tz="UTC")

_COLUMNS = {
    "ProviderName": TEXT,
    "PublisherName": TEXT,
    "ServiceProviderName": TEXT,
    "HostProviderName": TEXT,
    "InvoiceIssuerName": TEXT,
    "InvoiceId": TEXT,
    "BillingAccountId": TEXT,
    "BillingAccountName": TEXT,
    "BillingAccountType": TEXT,
    "SubAccountId": TEXT,
    "SubAccountName": TEXT,
    "SubAccountType": TEXT,
    "BillingPeriodStart": TIME,
    "BillingPeriodEnd": TIME,
    "ChargePeriodStart": TIME,
    "ChargePeriodEnd": TIME,
    "ChargeCategory": TEXT,
    "ChargeClass": TEXT,
    "ChargeDescription": TEXT,
    "ChargeFrequency": TEXT,
    "BilledCost": AMOUNT,
    "EffectiveCost": AMOUNT,
    "ListCost": AMOUNT,
    "ContractedCost": AMOUNT,
    "PricingQuantity": AMOUNT,
    "PricingUnit": TEXT,
    "BillingCurrency": TEXT,
    "ConsumedQuantity": AMOUNT,
    "ConsumedUnit": TEXT,
    "ServiceName": TEXT,
    "ServiceCategory": TEXT,
    "ServiceSubcategory": TEXT,
    "SkuId": TEXT,
    "SkuMeter": TEXT,
    "ResourceId": TEXT,
    "ResourceName": TEXT,
    "ResourceType": TEXT,
    "RegionId": TEXT,
    "RegionName": TEXT,
    "AvailabilityZone": TEXT,
    "CommitmentDiscountId": TEXT,
    "CommitmentDiscountName": TEXT,
    "CommitmentDiscountCategory": TEXT,
    "CommitmentDiscountType": TEXT,
    "CommitmentDiscountStatus": TEXT,
    "CommitmentDiscountQuantity": AMOUNT,
    "CommitmentDiscountUnit": TEXT,
    "AllocatedMethodId": TEXT,
    "AllocatedMethodDetails": TEXT,
    "AllocatedResourceId": TEXT,
    "AllocatedResourceName": TEXT,
    "AllocatedTags": TEXT,
    "Tags": TEXT,
    "x_BillToType": TEXT,
    "x_BillTo": TEXT,
    "x_AllocatedMethodId": TEXT,
    "x_OriginChargeId": TEXT,
    "x_OriginBilledCost": AMOUNT,
    "x_IamPrincipal": TEXT,
    "x_Model": TEXT,
    "x_LineItemType": TEXT,
    "x_BillingEntity": TEXT,
    "x_LegalEntity": TEXT,
}
NEW_IN_1_3 = frozenset(
    {
        "ServiceProviderName",
        "HostProviderName",
        "AllocatedMethodId",
        "AllocatedMethodDetails",
        "AllocatedResourceId",
        "AllocatedResourceName",
        "AllocatedTags",
    }
)
ONLY_IN_1_2 = frozenset({"x_AllocatedMethodId"})
"""What says there what a column of 1.3 says."""

BILLING_PERIOD = pa.schema(
    {
        "BillingPeriodCreated": TIME,
        "BillingPeriodEnd": TIME,
        "BillingPeriodLastUpdated": TIME,
        "BillingPeriodStart": TIME,
        "BillingPeriodStatus": TEXT,
        "InvoiceIssuerName": TEXT,
    }
)
INVOICE_DETAIL = pa.schema(
    {
        "BilledCost": AMOUNT,
        "BillingAccountId": TEXT,
        "BillingCurrency": TEXT,
        "BillingPeriodEnd": TIME,
        "BillingPeriodStart": TIME,
        "ChargeCategory": TEXT,
        "InvoiceDetailCreated": TIME,
        "InvoiceDetailDescription": TEXT,
        "InvoiceDetailGrain": TEXT,
        "InvoiceDetailId": TEXT,
        "InvoiceDetailLastUpdated": TIME,
        "InvoiceId": TEXT,
        "InvoiceIssueDate": TIME,
        "InvoiceIssueStatus": TEXT,
        "InvoiceIssuerName": TEXT,
        "PaymentDueDate": TIME,
        "PaymentTerms": TEXT,
        "PurchaseOrderNumber": TEXT,
        "ReferenceInvoiceId": TEXT,
    }
)


def schema_of(version: Version) -> pa.Schema:
    """The columns of a version in their order, its own extensions (`x_`) last."""
    return pa.schema(
        (name, kind)
        for name, kind in _COLUMNS.items()
        if name not in (NEW_IN_1_3 if version == "1.2" else ONLY_IN_1_2)
    )
