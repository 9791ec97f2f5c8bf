"""Which part of a month's bill is on whose invoices, and what else these invoices hold.

The bill that is read holds Bedrock only, an invoice all services. So an invoice is compared by way
of Cost Explorer, which counts what else is on it: by seller, for AWS and AWS Marketplace send
invoices of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from chargeback.money import ZERO, exact_sum
from chargeback.reconciliation.causes import (
    CENT_ROUNDING,
    TAX,
    Cause,
    CauseName,
    Comparison,
    ServiceCharge,
    bedrock_of,
    rounding,
    services_of,
)
from chargeback.sources.billing.cost_explorer import MARKETPLACE
from chargeback.sources.billing.invoices import Invoice

AWS = "AWS"
NOT_INVOICED = ""
"""In place of a seller, for what is on no invoice yet."""
SELLERS = (AWS, MARKETPLACE, NOT_INVOICED)


@dataclass(frozen=True, slots=True)
class BilledCharge:
    """A charge of the bill, with the invoice that it is on."""

    charge: ServiceCharge
    seller: str
    """AWS or MARKETPLACE."""
    invoice_id: str
    """'' for what is not invoiced yet."""
    payer_account_id: str

    @property
    def amount(self) -> Decimal:
        """In the bill's currency."""
        return self.charge.amount


@dataclass(frozen=True, slots=True)
class BillPart:
    """What of the bill is on one seller's invoices, or on none yet; parts add up to the bill."""

    seller: str
    """AWS, MARKETPLACE or NOT_INVOICED."""
    amount: Decimal
    """In the bill's currency."""


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One invoice: what the bill's Bedrock lines on it come to, and its total over all services.

    Amounts in the bill's currency; `invoice_id` is '' for lines that are not invoiced yet.
    """

    invoice_id: str
    seller: str
    """AWS or MARKETPLACE."""
    cur: Decimal
    invoice: Invoice | None
    """None where the Invoicing API lists none of that id."""

    @property
    def total(self) -> Decimal | None:
        """What the invoice comes to, tax and all services included."""
        return self.invoice.total if self.invoice else None

    @property
    def difference(self) -> Decimal | None:
        """What the invoice has more than its Bedrock lines."""
        return self.invoice.total - self.cur if self.invoice else None


def parts(billed: Iterable[BilledCharge]) -> tuple[BillPart, ...]:
    """The bill by who invoices it: AWS, AWS Marketplace, and last what is not invoiced yet."""
    amounts: dict[str, Decimal] = {}
    for each in billed:
        seller = each.seller if each.invoice_id else NOT_INVOICED
        amounts[seller] = amounts.get(seller, ZERO) + each.amount
    found = (BillPart(seller, amounts.get(seller, ZERO)) for seller in SELLERS)
    return tuple(part for part in found if part.amount)


def invoice_rows(
    billed: Iterable[BilledCharge], invoices: Iterable[Invoice]
) -> Iterator[InvoiceRow]:
    """Every invoice of the bill or of the Invoicing API, AWS's first, what has none yet last."""
    listed = {(invoice.billing_entity, invoice.invoice_id): invoice for invoice in invoices}
    amounts = dict.fromkeys(listed, ZERO)
    for each in billed:
        key = each.seller, each.invoice_id
        amounts[key] = amounts.get(key, ZERO) + each.amount
    for key in sorted(amounts, key=lambda key: (not key[1], key)):
        if key[1] or amounts[key]:
            yield InvoiceRow(key[1], key[0], amounts[key], listed.get(key))


def against_invoices(
    seller: str,
    billed: Sequence[BilledCharge],
    counted: Sequence[ServiceCharge],
    invoices: Iterable[Invoice],
    currency: str,
) -> Comparison | None:
    """A seller's part of the bill against all of that seller's invoices.

    Args:
        seller: AWS or MARKETPLACE.
        billed: the bill.
        counted: what Cost Explorer counts of that seller, all services.
        invoices: of the month, of any seller.
        currency: of all amounts.

    Returns:
        None where the seller has no invoice, or no line of the bill is on one.
    """
    is_market = seller == MARKETPLACE
    totals = [i.total for i in invoices if (i.billing_entity == MARKETPLACE) == is_market]
    own = [each for each in billed if each.seller == seller]
    invoiced = [each.amount for each in own if each.invoice_id]
    if not totals or not invoiced:
        return None
    causes = tuple(cause for cause in _beside(own, counted) if cause.amount)
    compared = Comparison(f"{seller} invoices", exact_sum(invoiced), exact_sum(totals), causes)
    return _rounded(compared, counted, currency)


def _beside(own: Sequence[BilledCharge], counted: Sequence[ServiceCharge]) -> Iterator[Cause]:
    """What is on a seller's invoices beside the bill's Bedrock lines."""
    known = [each.charge for each in own]
    bedrock = bedrock_of(counted, known)
    untaxed = [charge for charge in counted if charge.service != TAX]
    strange = [charge for charge in bedrock if charge.key[0] not in services_of(known)]
    names = ", ".join(dict.fromkeys(charge.service for charge in strange))
    billed_tax = sum_of(charge for charge in known if charge.record_type == TAX)
    yield Cause(CauseName.UNRECOGNISED, sum_of(strange), f"{names}.")
    yield Cause(CauseName.OTHER_SERVICES, sum_of(untaxed) - sum_of(bedrock))
    yield Cause(CauseName.OTHER_TAX, tax_of(counted) - billed_tax)


def _rounded(comparison: Comparison, counted: Sequence[ServiceCharge], currency: str) -> Comparison:
    """With rounding as a cause: an invoice gives each charge, and each service's tax, in cents."""
    keys = {charge.key for charge in counted}
    count = len(keys) + len({service for service, _ in keys})
    reach = CENT_ROUNDING * count
    detail = f"Here that can be {reach:.2f} {currency} at most."
    causes = (*comparison.causes, *rounding(comparison.unexplained, reach, detail))
    return replace(comparison, causes=causes)


def tax_of(charges: Iterable[ServiceCharge]) -> Decimal:
    """What Cost Explorer counts as Tax."""
    return sum_of(charge for charge in charges if charge.service == TAX)


def sum_of(charges: Iterable[ServiceCharge]) -> Decimal:
    """What charges come to."""
    return exact_sum(charge.amount for charge in charges)
