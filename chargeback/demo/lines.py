"""Billing periods and CUR 2.0 lines as columns: what `bill` fills and `export` writes.

A template holds what many lines share (every text and map column); a line adds its times, amount
and cost. Costs are whole numbers of 1e-10 dollars until they are written.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from types import MappingProxyType
from typing import Self

import numpy as np
import numpy.typing as npt

from chargeback.demo.company import PAYER, Account
from chargeback.demo.meters import AWS, Product, Region

Integers = npt.NDArray[np.int64]
Times = npt.NDArray[np.datetime64]
INVOICED_ON_DAY = 6
_INVOICING_ENTITIES = {AWS: "Amazon Web Services, Inc."}
_MARKETPLACE_INVOICING_ENTITY = "Amazon Web Services EMEA SARL"


@dataclass(frozen=True, slots=True)
class Period:
    """A billing period as of `today`; `back` months before the newest one.

    `net` says that the export gives discounts as net costs, not as lines of their own.
    """

    first: date
    today: date
    back: int
    net: bool

    @property
    def key(self) -> str:
        """`YYYY-MM`."""
        return f"{self.first:%Y-%m}"

    @property
    def end(self) -> date:
        """First day of the next month."""
        return (self.first + timedelta(days=31)).replace(day=1)

    @property
    def days(self) -> int:
        """Days of the whole month."""
        return (self.end - self.first).days

    @property
    def covered(self) -> int:
        """Days with usage: up to yesterday in the open month, and today itself on the first."""
        return self.days if self.back else max(self.today.day - 1, 1)

    @property
    def invoiced(self) -> bool:
        """Whether the invoices are out: not in the open month, nor in the days just after."""
        return self.back > 1 or (self.back == 1 and self.today.day >= INVOICED_ON_DAY)

    def invoice_id(self, billing_entity: str) -> str | None:
        """Invoice of AWS or of AWS Marketplace; NULL and `''` both stand for none yet."""
        if billing_entity == AWS:
            return f"21{self.first:%Y%m}0417" if self.invoiced else None
        return f"EUMPUA{self.first:%y}-{self.first:%m}2817" if self.invoiced else ""


@dataclass(frozen=True, slots=True)
class Template:
    """Text and map columns that lines share; a column it lacks is NULL.

    `quanta` indivisible parts make one unit of `line_item_usage_amount`.
    """

    text: Mapping[str, str | None]
    maps: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    quanta: int = 1

    @property
    def line_type(self) -> str | None:
        """`line_item_line_item_type`."""
        return self.text["line_item_line_item_type"]


@dataclass(frozen=True, slots=True)
class Lines:
    """CUR lines as columns; `template` indexes `templates`, `cost` is in 1e-10 dollars."""

    templates: Sequence[Template]
    template: Integers
    start: Times
    end: Times
    quanta: Integers
    cost: Integers

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """All lines of `parts`, in order."""
        offsets = np.cumsum([0, *(len(part.templates) for part in parts)])
        return cls(
            [template for part in parts for template in part.templates],
            np.concatenate([part.template + offsets[i] for i, part in enumerate(parts)]),
            np.concatenate([part.start for part in parts]),
            np.concatenate([part.end for part in parts]),
            np.concatenate([part.quanta for part in parts]),
            np.concatenate([part.cost for part in parts]),
        )

    def by_time(self) -> Self:
        """The same lines ordered by start, then by template."""
        order = np.lexsort((self.template, self.start))
        return replace(
            self,
            template=self.template[order],
            start=self.start[order],
            end=self.end[order],
            quanta=self.quanta[order],
            cost=self.cost[order],
        )

    def flags(self, chosen: Sequence[bool]) -> npt.NDArray[np.bool_]:
        """Per line, what `chosen` says of its template."""
        return np.asarray(chosen, dtype=np.bool_)[self.template]


@dataclass(frozen=True, slots=True)
class Single:
    """One line that is written out by hand; times are ISO 8601, to the second, UTC."""

    template: Template
    start: str
    end: str
    cost: int
    quanta: int = 1


def write_out(singles: Sequence[Single]) -> Lines:
    """Lines from those written out by hand."""
    return Lines(
        [single.template for single in singles],
        np.arange(len(singles), dtype=np.int64),
        np.array([single.start for single in singles], dtype="datetime64[s]"),
        np.array([single.end for single in singles], dtype="datetime64[s]"),
        np.array([single.quanta for single in singles], dtype=np.int64),
        np.array([single.cost for single in singles], dtype=np.int64),
    )


@cache
def sku(*parts: str) -> str:
    """A stable made-up SKU."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16].upper()


def line_text(
    period: Period, product: Product, account: Account, line_type: str
) -> dict[str, str | None]:
    """The text columns every line has: the bill, the account, the product, the line's type."""
    entity = product.billing_entity
    return {
        "bill_bill_type": "Refund" if line_type == "Refund" else "Anniversary",
        "bill_billing_entity": entity,
        "bill_invoice_id": period.invoice_id(entity),
        "bill_invoicing_entity": _INVOICING_ENTITIES.get(entity, _MARKETPLACE_INVOICING_ENTITY),
        "bill_payer_account_id": PAYER.id,
        "bill_payer_account_name": PAYER.name,
        "line_item_currency_code": "USD",
        "line_item_legal_entity": product.legal_entity,
        "line_item_line_item_type": line_type,
        "line_item_product_code": product.code,
        "line_item_usage_account_id": account.id,
        "line_item_usage_account_name": account.name,
        "pricing_currency": "USD",
        "product_product_family": product.family,
        "product_servicecode": product.code,
    }


def price_text(
    product: Product, region: Region, usage_type: str, unit: str, rate: str
) -> dict[str, str | None]:
    """The text columns of something priced by use in a Region; `rate` is dollars per unit."""
    stock = sku(product.code, usage_type)
    return {
        "line_item_availability_zone": "",
        "line_item_blended_rate": rate,
        "line_item_unblended_rate": rate,
        "line_item_usage_type": usage_type,
        "pricing_public_on_demand_rate": rate,
        "pricing_rate_code": f"{stock}.JRTCKXETXF.6YS6EN2CT7",
        "pricing_rate_id": str(int(stock[:9], 16)),
        "pricing_term": "OnDemand",
        "pricing_unit": unit,
        "product_from_location": "",
        "product_location": region.location,
        "product_location_type": "AWS Region",
        "product_pricing_unit": unit,
        "product_region_code": region.code,
        "product_sku": stock,
        "product_usagetype": usage_type,
    }
