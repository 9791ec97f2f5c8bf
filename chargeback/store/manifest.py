"""What is said of a version of a billing period: where it comes from, and what is odd about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from chargeback.billing_period import UtcMoment, now
from chargeback.money import exact_sum
from chargeback.notices import Notice, notice
from chargeback.sources.base import Extract, Source, SourcePeriod, StoreKnowledge
from chargeback.store.folding import Folded, Folding

SCHEMA_VERSION = 3
"""Raised when what is kept of a bill changes, so that months are read again."""
READABLE = (2, 3)
"""What this program opens; what an older version lacks, statements read as NULL."""
GONE = "gone"
"""In place of a source's version: the bill no longer holds the month."""
AWS_PRODUCTS = (
    "AmazonBedrock",
    "AmazonBedrockService",
    "AmazonBedrockFoundationModels",
    "AmazonBedrockAgentCore",
)
"""Product codes that are expected on any bill of Bedrock (AWS Price List, November 2026)."""


class CurrencyTotal(BaseModel):
    """What the bill of a period comes to in one currency, on either basis."""

    model_config = ConfigDict(frozen=True)

    currency: str
    unblended_total: Decimal
    net_total: Decimal


class Acceptance(BaseModel):
    """Who took a delivery that holds less than the version before, and when."""

    model_config = ConfigDict(frozen=True)

    who: str
    at: UtcMoment


class Refusal(BaseModel):
    """A delivery that was read and not taken: the version before stays in force."""

    model_config = ConfigDict(frozen=True)

    source_version: str
    notices: tuple[Notice, ...]
    refused_at: UtcMoment


class Manifest(BaseModel):
    """Where the figures of one billing period come from."""

    model_config = ConfigDict(frozen=True)

    schema_version: int
    billing_period: str
    source: str
    source_id: str
    engine: str
    source_version: str
    query_ids: tuple[str, ...]
    bytes_scanned: int
    lines_read: int
    rows_kept: int
    totals: tuple[CurrencyTotal, ...]
    has_principals: bool
    newest_usage_date: date | None
    data_as_of: UtcMoment
    extracted_at: UtcMoment
    notices: tuple[Notice, ...]
    products: tuple[tuple[str, str], ...] = ()
    """Payer account and product code of what is Bedrock without a code that says so."""
    unexplained: tuple[tuple[str, str], ...] = ()
    """The same of Marketplace products that no line named; they are left out."""
    product_codes: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    """The exports that the period was read from."""
    accepted: Acceptance | None = None
    spend_sha256: str = ""
    """Of the file that holds the facts; '' where they are not in a file."""
    folded: Folded | None = Field(default=None, exclude_if=lambda folded: folded is None)
    """Which sessions are kept as one; None where each is kept as billed."""

    @field_validator("notices", mode="before")
    @classmethod
    def _from_sentences(cls, value: Iterable[object]) -> list[object]:
        """Up to schema version 2, notices were sentences."""
        return [
            {"code": "note", "severity": "warning", "about": {"text": each}}
            if isinstance(each, str)
            else each
            for each in value
        ]


DeliveryUsage = Sequence[Mapping[str, Any]]
"""Rows of queries/store/usage_by_tags.sql, over the days of the version in force."""
Compare = Callable[[str, DeliveryUsage, DeliveryUsage], tuple[Notice, ...]]
"""Says what is less of a billing period in a delivery: given the version in force, and the new."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a period is read from and with, and judged by."""

    source: Source
    period: SourcePeriod
    compare: Compare
    known: StoreKnowledge
    accepted: Acceptance | None
    folding: Folding | None = None
    """Which sessions are kept as one; None for each as billed."""

    @property
    def above(self) -> int | None:
        """How many sessions of a role stay as billed at most; None for all."""
        return self.folding.above(self.period.billing_period) if self.folding else None

    def less(self, before: DeliveryUsage, now: DeliveryUsage) -> tuple[Notice, ...]:
        """What is less in the new delivery than in the version in force."""
        return self.compare(self.period.billing_period, before, now)

    def is_refused(self, less: Sequence[Notice]) -> bool:
        """Whether the version before stays."""
        return self.accepted is None and any(each.blocks_close for each in less)

    def said(self, less: Sequence[Notice]) -> tuple[Notice, ...]:
        """What is kept with a version that is taken."""
        if self.accepted is None:
            return tuple(less)
        what = "; ".join(_fall(each) for each in less if each.blocks_close)
        when = f"{self.accepted.at:%Y-%m-%d %H:%M} UTC"
        return (notice("delivery-accepted", who=self.accepted.who, when=when, what=what),)


def _fall(less: Notice) -> str:
    what, about = less.about.get("what", "usage"), less.about
    return f"{what} of payer account {about['payer']} fell from {about['kept']} to {about['found']}"


def gone(manifest: Manifest) -> Refusal:
    """The bill no longer holds a period that the store has."""
    totals = manifest.totals
    amount = totals[0].unblended_total if len(totals) == 1 else None
    currency = totals[0].currency if len(totals) == 1 else ""
    said = notice(
        "period-gone",
        lines=manifest.lines_read,
        amount=amount,
        currency=currency,
        period=manifest.billing_period,
    )
    return Refusal(source_version=GONE, notices=(said,), refused_at=now())


def refusal_of(period: SourcePeriod, less: Iterable[Notice]) -> Refusal:
    """A delivery that is not taken, and why."""
    blocking = tuple(each for each in less if each.blocks_close)
    return Refusal(source_version=period.version, notices=blocking, refused_at=now())


def manifest_of(
    reading: Reading,
    extract: Extract,
    found: Sequence[dict[str, Any]],
    less: Sequence[Notice],
    folded: Folded | None = None,
) -> Manifest:
    """What is said of a version: `found` are the rows of queries/store/contents.sql."""
    source, period = reading.source, reading.period
    dates = (row["newest_usage_date"] for row in found)
    return Manifest(
        schema_version=SCHEMA_VERSION,
        billing_period=period.billing_period,
        source=source.name,
        source_id=source.source_id,
        engine=source.engine,
        source_version=period.version,
        query_ids=extract.query_ids,
        bytes_scanned=extract.bytes_scanned,
        lines_read=sum(row["lines_read"] for row in found),
        rows_kept=sum(row["rows_kept"] for row in found),
        totals=tuple(_totals(found)),
        has_principals=any(row["has_principals"] for row in found),
        newest_usage_date=max((day for day in dates if day), default=None),
        data_as_of=period.data_as_of,
        extracted_at=now(),
        notices=(
            *reading.said(less),
            *extract.notices,
            *_contents_notices(extract, found),
            *(_folded_notices(folded) if folded else ()),
        ),
        products=extract.products,
        unexplained=extract.unexplained,
        product_codes=tuple(sorted({row["product_code"] for row in found})),
        exports=extract.exports,
        accepted=reading.accepted,
        folded=folded,
    )


def _totals(found: Sequence[dict[str, Any]]) -> Iterator[CurrencyTotal]:
    for currency in sorted({row["currency"] for row in found}):
        rows = [row for row in found if row["currency"] == currency]
        yield CurrencyTotal(
            currency=currency,
            unblended_total=exact_sum(row["unblended_total"] for row in rows),
            net_total=exact_sum(row["net_total"] for row in rows),
        )


def _contents_notices(extract: Extract, found: Sequence[dict[str, Any]]) -> Iterator[Notice]:
    if not found:
        yield notice("no-bedrock-lines", lines=0)
    columns = {n.about.get("column") for n in extract.notices if n.code == "column-missing"}
    has_column = "line_item_iam_principal" not in columns
    if found and has_column and not any(row["has_principals"] for row in found):
        yield notice("no-principals")
    for row in found:
        if row["product_code"] not in AWS_PRODUCTS:
            yield notice(
                "product-new",
                lines=row["lines_read"],
                amount=row["unblended_total"],
                currency=row["currency"],
                product=row["product_code"],
                name=row["product_name"] or "no name",
            )


def _folded_notices(folded: Folded) -> Iterator[Notice]:
    for total in folded.totals:
        yield notice(
            "sessions-folded",
            lines=total.lines,
            amount=total.unblended_total,
            currency=total.currency,
            sessions=f"{total.sessions:,}",
            roles=f"{total.roles:,} role{'' if total.roles == 1 else 's'}",
            above=f"{folded.above:,}",
            before=f"{total.rows_before:,}",
            after=f"{total.rows_after:,}",
        )


def is_news(said: Notice, month: str, manifests: Iterable[Manifest]) -> bool:
    """Whether a notice is worth saying: a product is new once, in the first month that has it.

    Of the first month in the store that can be told only where the code itself says Bedrock.
    """
    if said.code != "product-new":
        return True
    code = said.about["product"]
    earlier = [m for m in manifests if m.billing_period < month and m.lines_read]
    if all(m.product_codes for m in earlier) and earlier:
        return not any(code in m.product_codes for m in earlier)
    return "bedrock" in code.lower() and not any(code in m.product_codes for m in earlier)
