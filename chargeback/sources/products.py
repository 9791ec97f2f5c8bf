"""Which products are Bedrock, although neither their code nor their service code says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chargeback.money import exact_sum
from chargeback.notices import Notice, notice
from chargeback.sources.base import StoreKnowledge


@dataclass(frozen=True, slots=True)
class Products:
    """What the rows of queries/cur/products.sql, and the store, say of a period's products."""

    bedrock: tuple[tuple[str, str], ...]
    """Payer account and product code of what is Bedrock without a code that says so."""
    unexplained: tuple[tuple[str, str], ...]
    """The same of Marketplace products that no line names."""
    notices: tuple[Notice, ...]

    @property
    def keys(self) -> list[str]:
        """The parameter `products` of the statements."""
        return product_keys(self.bedrock)


def product_keys(products: Iterable[tuple[str, str]]) -> list[str]:
    """Payer accounts and product codes as the parameter `products` takes them."""
    return ["|".join(product) for product in products]


def sorted_products(rows: Sequence[dict[str, Any]], known: StoreKnowledge) -> Products:
    """Tells Bedrock's products from the unexplained.

    Args:
        rows: of queries/cur/products.sql.
        known: what lines of other periods showed to be Bedrock.
    """
    bedrock = {_product(row) for row in rows if row["is_bedrock"]}
    bedrock |= {_product(row) for row in rows} & known.products
    explained = bedrock | {_product(row) for row in rows if row["is_named"]}
    left_out = [row for row in rows if _product(row) not in explained]
    return Products(
        tuple(sorted(bedrock)),
        tuple(sorted({_product(row) for row in left_out})),
        tuple(_unexplained(left_out)),
    )


def _product(row: dict[str, Any]) -> tuple[str, str]:
    return row["payer_account_id"], row["product_code"]


def _unexplained(left_out: Sequence[dict[str, Any]]) -> Iterator[Notice]:
    for currency in sorted({row["currency"] for row in left_out}):
        rows = [row for row in left_out if row["currency"] == currency]
        yield notice(
            "products-unexplained",
            lines=sum(row["line_count"] for row in rows),
            amount=exact_sum(row["cost"] for row in rows),
            currency=currency,
            codes=", ".join(sorted({row["product_code"] for row in rows})),
        )
