"""What is known to be missing or odd about a month: a code with its numbers, put into words late.

A notice is kept with the month as data. Words are made where it is shown, so that a sentence can be
changed without anything that was stored becoming unreadable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

Severity = Literal["info", "warning", "blocks-close"]


class Notice(BaseModel):
    """One thing that a reader of a month's figures must know."""

    model_config = ConfigDict(frozen=True)

    code: str
    severity: Severity
    lines: int | None = None
    """How many CUR lines it concerns, where that is known."""
    amount: Decimal | None = None
    """What they come to, in `currency`."""
    currency: str = ""
    about: dict[str, str] = {}
    """What else the words need: names of files, columns, accounts."""

    @property
    def blocks_close(self) -> bool:
        """Whether the month must not be posted before this is settled."""
        return self.severity == "blocks-close"

    @property
    def words(self) -> str:
        """The notice for people: what happened, what it means, what to do. Text, no Markdown."""
        kind = CODES.get(self.code)
        if kind is None:
            return self.about.get("text") or self.code
        given = {name: self.about[name] for name in sorted(self.about)}
        amount = "" if self.amount is None else written(self.amount, self.currency)
        lines = self.lines or 0
        counted = f"{lines:,} CUR line{'' if lines == 1 else 's'}"
        numbers = {"lines": counted, "amount": amount}
        return kind.words.format_map(_Given(numbers | given))


@dataclass(frozen=True, slots=True)
class Kind:
    """How serious a code is, and its words."""

    severity: Severity
    words: str


class _Given(dict[str, str]):
    """An older notice may lack a name that today's words ask for."""

    def __missing__(self, name: str) -> str:
        return "–"


def notice(
    code: str,
    *,
    lines: int | None = None,
    amount: Decimal | None = None,
    currency: str = "",
    about: Mapping[str, str] | None = None,
    **more: str,
) -> Notice:
    """A notice of a code in CODES; `about`, and what else is named, fills its words."""
    return Notice(
        code=code,
        severity=CODES[code].severity,
        lines=lines,
        amount=amount,
        currency=currency,
        about={**(about or {}), **more},
    )


def column_missing(column: str) -> Notice:
    """The export lacks a column; how serious that is depends on the column."""
    kind = COLUMNS[column]
    return Notice(
        code="column-missing",
        severity=kind.severity,
        about={"column": column, "words": kind.words},
    )


def blocking(notices: Iterable[Notice]) -> list[Notice]:
    """Those that keep a month from being closed."""
    return [each for each in notices if each.blocks_close]


def written(amount: Decimal, currency: str) -> str:
    """An amount in a sentence: '1,234.50 USD'."""
    return f"{amount:,.2f} {currency}".rstrip()


COLUMNS = {
    "line_item_iam_principal": Kind(
        "warning",
        "This export has no IAM principal data, so spend can't be shown by principal. "
        "Enable it in Data Exports (“Include caller identity (IAM principal) allocation "
        "data”).",
    ),
    "tags": Kind(
        "warning",
        "This export has no tags column: principal and session tags are missing, so teams "
        "and tenants can't be told from them. Add the column `tags` in Data Exports.",
    ),
    "product": Kind(
        "blocks-close",
        "This export has no product column: models sold through AWS Marketplace (most of "
        "Claude) can't be recognised as Bedrock and are missing. Add the column `product`.",
    ),
    "product_servicecode": Kind(
        "blocks-close",
        "This export has no service codes: a line that only its service code identifies as "
        "Bedrock would be missing. Add the column `product_servicecode`.",
    ),
    "bill_billing_entity": Kind(
        "blocks-close",
        "This export does not name the seller (billing entity): AWS Marketplace charges "
        "(most of Claude) can't be recognised by name and may be missing. Add the column "
        "`bill_billing_entity`.",
    ),
    "bill_payer_account_id": Kind(
        "warning",
        "This export does not name the payer account: all its lines are treated as one "
        "payer's. Add the column `bill_payer_account_id`.",
    ),
    "bill_invoice_id": Kind(
        "warning",
        "This export has no invoice ids, so no month can be marked as invoiced. Add the "
        "column `bill_invoice_id`.",
    ),
    "line_item_usage_amount": Kind(
        "warning",
        "This export has no usage amounts, so tokens and cost per token can't be shown. Add "
        "the column `line_item_usage_amount`.",
    ),
    "pricing_unit": Kind(
        "warning",
        "This export has no pricing units, so tokens and cost per token can't be shown. Add "
        "the column `pricing_unit`.",
    ),
}
"""What a reader must know when a column is not there. What decides which lines count blocks."""

CODES = {
    "column-missing": Kind("warning", "{words}"),
    "column-nested": Kind(
        "info",
        "The export has separate columns in place of the map {column}: {columns} are read instead.",
    ),
    "files-repeated": Kind(
        "warning",
        "Files delivered twice, byte for byte, are counted once. Left out: {files}. Remove them.",
    ),
    "files-unread": Kind(
        "warning",
        "Not part of the delivery, and therefore not read: {files}. {why}",
    ),
    "files-not-named": Kind(
        "blocks-close",
        "The delivery's manifest does not list {files}, but Athena reads every file of the "
        "month: lines may be counted twice. Remove the files from S3, then refresh.",
    ),
    "export-left-out": Kind(
        "warning",
        "The export {export} also bills payer account {payer}. The export {taken} is used; "
        "{lines} of Bedrock, {amount}, are left out. To choose, set export in the section "
        "[bill].",
    ),
    "tags-unreadable": Kind(
        "warning",
        "{column} can't be read in {lines} ({amount}), for example {value}: these lines are "
        "treated as having none.",
    ),
    "dates-unreadable": Kind(
        "warning",
        "The usage date can't be read in {lines} ({amount}), for example {value}: these "
        "lines are treated as having none.",
    ),
    "period-is-no-month": Kind(
        "warning",
        "The folder {folder} is not a billing period, so its files are not read.",
    ),
    "delivery-not-parquet": Kind(
        "warning",
        "Billing period {period} is delivered only as {kind}, which is not read. Set the "
        "export to Parquet.",
    ),
    "note": Kind("warning", "{text}"),
    "no-bedrock-lines": Kind(
        "info",
        "This month's bill has no Bedrock charges.",
    ),
    "no-principals": Kind(
        "info",
        "No line of this month names its caller (IAM principal). AWS records callers from "
        "April 2026 on, and only once the export includes them.",
    ),
    "product-new": Kind(
        "info", "New on the bill: product code {product} ({name}), {lines}, {amount}."
    ),
    "product-name-only": Kind(
        "warning",
        "Sold through AWS Marketplace with Bedrock in its name, but without model usage: "
        "{name} (product code {product}), {amount}. It is included; to leave it out, use "
        "exclude_products in the section [bill].",
    ),
    "product-excluded": Kind(
        "info", "Left out by exclude_products: product code {product}, {lines}, {amount}."
    ),
    "rule-without-effect": Kind(
        "warning",
        "The allocation rule {rule} moves nothing in the statement by {by}: it matches no "
        "line that is left, or no unit can receive. Correct its `take`, `to` or `by`, or "
        "end it with `until`.",
    ),
    "products-unexplained": Kind(
        "warning",
        "Left out: {lines} from AWS Marketplace ({amount}) whose products no line names, so "
        "it is not known whether they are Bedrock's. Product codes: {codes}.",
    ),
    "basis-open": Kind(
        "blocks-close",
        "Payer account {payer}: it is not clear whether discounts are already in the net "
        "costs or on lines of their own. Net costs take off {before}, discount lines "
        "{told}; net costs are used. Settle it with basis in the section [bill].",
    ),
    "unit-size-unknown": Kind(
        "warning",
        "It is not known how many tokens a unit of {usage_type} stands for, so its tokens "
        "are not counted: {lines}, {amount}.",
    ),
    "delivery-smaller": Kind(
        "blocks-close",
        "A newer delivery holds less: usage of payer account {payer} falls from {kept} to "
        "{found}. It was not taken; the earlier version still applies. To accept it, use "
        "Setup or refresh --accept {period}.",
    ),
    "attribution-fell": Kind(
        "blocks-close",
        "In a newer delivery, less usage of payer account {payer} names its {what}: {kept} "
        "falls to {found}. It was not taken; the earlier version still applies. To accept "
        "it, use Setup or refresh --accept {period}.",
    ),
    "period-gone": Kind(
        "blocks-close",
        "The bill no longer includes this month; the version read earlier still applies "
        "({amount}). To accept that, use Setup or refresh --accept {period}: the month is "
        "then no longer shown.",
    ),
    "usage-fell": Kind(
        "info",
        "In the newest delivery, usage of payer account {payer} fell from {kept} to {found}.",
    ),
    "delivery-accepted": Kind(
        "info", "A delivery that holds less was accepted by {who} on {when}: {what}."
    ),
    "read-by-older-program": Kind(
        "info",
        "This month was read by an earlier version of this program. Refresh to read it again.",
    ),
    "sessions-folded": Kind(
        "info",
        "{sessions} sessions of {roles}, {lines}, {amount}, are kept as one for each role and its "
        "session tags: {after} rows in place of {before}. No rule tells them from their role. "
        "Wherever callers are counted they are one. Set by fold_sessions_above = {above} in the "
        "section [store].",
    ),
    "sessions-read-since": Kind(
        "blocks-close",
        "Rules now read the names of sessions, but {sessions} sessions of {roles} are kept as one "
        "in this month: {lines}, {amount}, may have to be charged to others. Read it anew: "
        "refresh --month {period}.",
    ),
    "restated": Kind(
        "info",
        "The bill has changed since this month was closed: {change}. The closed figures stand; "
        "{place}. The page Close shows it by unit, as does the command diff.",
    ),
    "program-differs": Kind(
        "warning",
        "This version of the program works out other charges from what was frozen of this month "
        "than those that were closed. The closed figures stand, and nothing is posted for it. "
        "Report it as a bug in this program.",
    ),
    "owner-row-unused": Kind("info", "{file}, line {line}: matches nothing on this month's bill."),
    "owner-row-order": Kind(
        "warning",
        "{file}: the more specific row applies, not the first. For {dimension}, that "
        "assigns {amount} to other owners than the order of the file would: {change}.",
    ),
    "rule-unused": Kind("info", "The source {source} of {dimension} decides nothing this month."),
}
"""Every code, with how serious it is. The words take the numbers of a notice and what it is
about."""
