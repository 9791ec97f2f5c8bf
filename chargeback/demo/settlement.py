"""What follows from the lines so far: discounts, as lines or as net costs, and tax."""

from decimal import Decimal

import numpy as np

from chargeback.demo.company import DISCOUNT_PERCENT, TAX_PERCENT
from chargeback.demo.lines import Integers, Lines, Period, Single, Template, write_out
from chargeback.demo.meters import AWS, plain

_DAILY_FROM = 5_000
"""Smaller exports have one discount line a month, so as not to outnumber what is discounted."""
_TAXED = ("Usage", "Fee", "EdpDiscount")
_CARRIED_OVER = (
    "bill_bill_type",
    "bill_billing_entity",
    "bill_invoice_id",
    "bill_invoicing_entity",
    "bill_payer_account_id",
    "bill_payer_account_name",
    "line_item_currency_code",
    "line_item_legal_entity",
    "line_item_product_code",
    "line_item_usage_account_id",
    "line_item_usage_account_name",
    "pricing_currency",
    "product_product_family",
    "product_servicecode",
)


def _discounted(template: Template) -> bool:
    """AWS's enterprise discount: on what AWS itself sells, and only on use."""
    return template.text["bill_billing_entity"] == AWS and template.line_type == "Usage"


def _percent(cost: Integers, percent: int) -> Integers:
    """That share of each cost, rounded to 1e-10 dollars."""
    return (cost * percent + 50) // 100


def net_discounts(period: Period, lines: Lines) -> Integers:
    """Discount on each line, negative, in 1e-10 dollars; 0 where the period has no net costs."""
    if not period.net:
        return np.zeros_like(lines.cost)
    eligible = lines.flags([_discounted(template) for template in lines.templates])
    return np.where(eligible, -_percent(lines.cost, DISCOUNT_PERCENT), 0)


def net_rate(template: Template) -> str | None:
    """Dollars per unit after the discount, as text; None for what has no price."""
    rate = template.text.get("line_item_unblended_rate")
    if rate is None or not _discounted(template):
        return rate
    return plain(Decimal(rate) * (100 - DISCOUNT_PERCENT) / 100)


def _grouped(lines: Lines) -> tuple[list[Template], Integers]:
    """A template for each pair of product and account, and which pair each line belongs to."""
    first: dict[tuple[str | None, str | None], int] = {}
    of_template = []
    for template in lines.templates:
        text = template.text
        pair = text["line_item_product_code"], text["line_item_usage_account_id"]
        of_template.append(first.setdefault(pair, len(first)))
    groups = np.array(of_template, dtype=np.int64)
    examples = [lines.templates[int(np.argmax(groups == i))] for i in range(len(first))]
    return examples, groups[lines.template]


def _settled(
    example: Template, line_type: str, description: str, tax_type: str | None = None
) -> Template:
    """A line of the same account, product and invoice as `example`, that names no caller."""
    text = {column: example.text[column] for column in _CARRIED_OVER} | {
        "line_item_line_item_type": line_type,
        "line_item_line_item_description": description,
        "line_item_tax_type": tax_type,
    }
    return Template(text, {"product": {"product_name": example.maps["product"]["product_name"]}})


def discount_lines(period: Period, lines: Lines) -> Lines:
    """`EdpDiscount` lines by day, product and account; none where the period has net costs."""
    examples, group = _grouped(lines)
    opening = np.datetime64(period.first.isoformat(), "s")
    daily = len(lines.cost) >= _DAILY_FROM
    spans = period.covered if daily else 1
    days = np.maximum((lines.start - opening) // np.timedelta64(1, "D"), 0)
    eligible = lines.flags([_discounted(template) for template in lines.templates])
    sums = np.zeros((len(examples), spans), dtype=np.int64)
    at = (days if daily else np.zeros_like(days))[eligible]
    np.add.at(sums, (group[eligible], at), lines.cost[eligible])
    length = np.timedelta64(1 if daily else period.covered, "D")
    return write_out(
        [
            Single(
                _settled(examples[i], "EdpDiscount", "Enterprise Discount Program discount"),
                str(opening + span * length),
                str(opening + (span + 1) * length),
                -int(_percent(sums[i, span], DISCOUNT_PERCENT)),
            )
            for i, span in np.argwhere((sums > 0) & (not period.net))
        ]
    )


def _tax(period: Period, example: Template, cost: int) -> Single:
    code, entity = example.text["line_item_product_code"], example.text["bill_billing_entity"]
    tax_type = "USSalesTax" if entity == AWS else "VAT"
    template = _settled(example, "Tax", f"Tax for product code {code}", tax_type)
    start, end = f"{period.first}T00:00:00", f"{period.end}T00:00:00"
    return Single(template, start, end, cost)


def tax_lines(period: Period, lines: Lines) -> Lines:
    """`Tax` lines, one for each product and account, on what is left after the discount."""
    examples, group = _grouped(lines)
    taxed = lines.flags([template.line_type in _TAXED for template in lines.templates])
    sums = np.zeros(len(examples), dtype=np.int64)
    np.add.at(sums, group[taxed], (lines.cost + net_discounts(period, lines))[taxed])
    taxes = _percent(sums, TAX_PERCENT)
    return write_out(
        [
            _tax(period, example, int(tax))
            for example, tax in zip(examples, taxes, strict=True)
            if tax
        ]
    )
