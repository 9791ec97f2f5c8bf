"""What a billing period comes to under the rules in force: which cost counts, and its total.

Two ways of telling a discount are never mixed and never counted twice: AWS puts discounts into the
net costs, or into lines of their own, and for some payers both (Cost and Usage Reports User Guide,
"Line item details": line_item_line_item_type, line_item_net_unblended_cost).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from chargeback.attribution.rule_notices import rule_notices
from chargeback.attribution.rules import AttributionRules
from chargeback.bedrock.usage_type import Meter
from chargeback.enrichment.rules import Rules
from chargeback.money import CENT, ZERO, exact_sum
from chargeback.notices import Notice, notice

CostColumn = Literal["unblended", "net"]
MODEL_EDITION = "bedrock edition)"
"""How AWS Marketplace names what is a model: 'Claude Opus 5.5 (Amazon Bedrock Edition)'."""
MARKETPLACE = "AWS Marketplace"
MARKETPLACE_METER = "MP:"
"""In the usage type of whatever a model sold through AWS Marketplace meters."""


class CostBasis(BaseModel):
    """Which cost counts for one payer account and currency, and why."""

    model_config = ConfigDict(frozen=True)

    payer_account_id: str
    currency: str
    basis: CostColumn
    decided_by: str
    """'setting', or the case of the rule that applied: 'nothing taken off', …"""
    taken_off_by_net_costs: Decimal
    """What net costs take off lines that are no discounts."""
    taken_off_by_discount_lines: Decimal
    """What discount lines take off."""
    total: Decimal
    """The bill on this basis."""

    @property
    def is_open(self) -> bool:
        """Whether the two sums contradict each other, so that a person has to decide."""
        return self.decided_by == OPEN


OPEN = "open"


class Bill(BaseModel):
    """The bill of one period, exact."""

    model_config = ConfigDict(frozen=True)

    cost_basis: tuple[CostBasis, ...]
    not_invoiced: int
    """CUR lines that cost something and carry no invoice id."""
    notices: tuple[Notice, ...] = ()

    @property
    def totals(self) -> dict[str, Decimal]:
        """What the period comes to, by currency."""
        currencies = sorted({each.currency for each in self.cost_basis})
        return {
            currency: exact_sum(e.total for e in self.cost_basis if e.currency == currency)
            for currency in currencies
        }

    @property
    def net_payers(self) -> list[str]:
        """Whose bill is the sum of net costs, as queries/store/daily.sql takes them."""
        return [
            f"{each.payer_account_id}|{each.currency}"
            for each in self.cost_basis
            if each.basis == "net"
        ]

    def metric_in(self, currency: str) -> CostColumn:
        """Which of Cost Explorer's metrics the bill is held against: net where any payer's is."""
        found = {each.basis for each in self.cost_basis if each.currency == currency}
        return "net" if "net" in found else "unblended"

    def basis_in(self, currency: str) -> str:
        """For people: 'unblended', 'net', or 'unblended and net' where payers differ."""
        found = sorted({e.basis for e in self.cost_basis if e.currency == currency}, reverse=True)
        return " and ".join(found) or "unblended"


PAYER_ORDER = [("payer_account_id", "ascending"), ("currency", "ascending")]
Ask = Callable[[str], pa.Table]
"""Answers a statement of queries/store over one version of a period, under some rules."""


def bill_of(
    ask: Ask, meters: Sequence[Mapping[str, Any]], billing_period: str, rules: Rules
) -> Bill:
    """What a period comes to under `rules`, with what of them does nothing.

    Args:
        ask: answers statements over the period.
        meters: of `read_meters`.
        billing_period: YYYY-MM.
        rules: in force.
    """
    bill = make_bill(
        ask("store/payers").sort_by(PAYER_ORDER).to_pylist(),
        meters,
        settled=rules.bill.basis,
        default=rules.cost_basis,
        excluded=rules.bill.exclude_products,
    )
    notices = (*bill.notices, *_rule_notices(ask, billing_period, rules.attribution))
    return bill.model_copy(update={"notices": notices})


def _rule_notices(ask: Ask, billing_period: str, rules: AttributionRules) -> tuple[Notice, ...]:
    """What of the rules that somebody set does nothing, or not what a list's order suggests."""
    chosen = rules.model_fields_set
    if not chosen:
        return ()
    found = rule_notices(rules, ask("store/identity_costs"), billing_period)
    return tuple(each for each in found if each.about.get("dimension", "") in {*chosen, ""})


def make_bill(
    payers: Sequence[Mapping[str, Any]],
    meters: Sequence[Mapping[str, Any]],
    *,
    settled: Mapping[str, CostColumn],
    default: CostColumn | Literal["auto"],
    excluded: Sequence[str],
) -> Bill:
    """What a period comes to.

    Args:
        payers: rows of queries/store/payers.sql.
        meters: rows of queries/store/meters.sql, each with its reading as `meter`.
        settled: the basis that a person chose, by payer account.
        default: the basis of all other payers; 'auto' finds it for each.
        excluded: product codes that are left out.
    """
    found = tuple(_basis(row, settled, default) for row in payers)
    only = found[0].currency if len({each.currency for each in found}) == 1 else None
    return Bill(
        cost_basis=found,
        not_invoiced=sum(row["not_invoiced"] for row in payers),
        notices=(*_open(found), *_products(meters, excluded, only), *_units(meters, only)),
    )


def _basis(
    row: Mapping[str, Any],
    settled: Mapping[str, CostColumn],
    default: CostColumn | Literal["auto"],
) -> CostBasis:
    chosen = settled.get(row["payer_account_id"], default)
    if chosen == "auto":
        basis, decided_by = decide(row)
    else:
        # Where AWS filled no net cost at all, both are the unblended cost.
        basis, decided_by = (chosen if row["net_rows"] else "unblended"), "setting"
    return CostBasis(
        payer_account_id=row["payer_account_id"],
        currency=row["currency"],
        basis=basis,
        decided_by=decided_by,
        taken_off_by_net_costs=row["taken_off_by_net_costs"] if row["net_rows"] else ZERO,
        taken_off_by_discount_lines=row["taken_off_by_discount_lines"],
        total=row[f"{basis}_total"],
    )


def decide(row: Mapping[str, Any]) -> tuple[CostColumn, str]:
    """Which cost counts, and by which case.

    Args:
        row: of queries/store/payers.sql.
    """
    if not row["net_rows"] or row["taken_off_by_net_costs"] == 0:
        return "unblended", "net costs take nothing off"
    if row["taken_off_by_discount_lines"] == 0:
        return "net", "no discount lines"
    if row["discount_net_lines"] == 0:
        return "net", "discount lines have no net cost"
    if row["discount_repeated_lines"] == row["discount_lines"] and _in_cents(
        row["taken_off_by_net_costs"]
    ) == _in_cents(row["taken_off_by_discount_lines"]):
        return "unblended", "one discount, told twice"
    return "net", OPEN


def billed_cost(line: Mapping[str, Any], *, is_net: bool) -> Decimal:
    """What a CUR line comes to on the bill: the rule of queries/store/daily.sql, for one line."""
    unblended: Decimal = line["unblended_cost"]
    if not is_net:
        return unblended
    net: Decimal | None = line["net_unblended_cost"]
    absent = ZERO if line["line_item_type"].endswith("Discount") else unblended
    return absent if net is None else net


def _in_cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def _open(found: Iterable[CostBasis]) -> Iterator[Notice]:
    for each in found:
        if each.is_open:
            yield notice(
                "basis-open",
                amount=each.total,
                currency=each.currency,
                payer=each.payer_account_id,
                before=f"{each.taken_off_by_net_costs:f}",
                told=f"{each.taken_off_by_discount_lines:f}",
            )


def _products(
    meters: Sequence[Mapping[str, Any]], excluded: Sequence[str], currency: str | None
) -> Iterator[Notice]:
    by_code: dict[str, list[Mapping[str, Any]]] = {}
    for row in meters:
        by_code.setdefault(row["product_code"], []).append(row)
    for code, rows in sorted(by_code.items()):
        if code in excluded:
            yield _concerning("product-excluded", rows, currency, product=code)
        elif _is_name_only(rows):
            name = next(row["product_name"] for row in rows if row["product_name"])
            yield _concerning("product-name-only", rows, currency, product=code, name=name)


def _is_name_only(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether AWS Marketplace sells this under Bedrock's name without any meter of a model."""
    names = [row["product_name"].lower() for row in rows if row["product_name"]]
    return (
        any("bedrock" in name for name in names)
        and not any(MODEL_EDITION in name for name in names)
        and all(row["billing_entity"] == MARKETPLACE for row in rows)
        and not any(MARKETPLACE_METER in row["usage_type"] for row in rows)
    )


def _units(meters: Sequence[Mapping[str, Any]], currency: str | None) -> Iterator[Notice]:
    unknown: dict[str, list[Mapping[str, Any]]] = {}
    for row in meters:
        meter: Meter = row["meter"]
        if meter.unit_size_unknown:
            unknown.setdefault(row["usage_type"], []).append(row)
    for usage_type, rows in sorted(unknown.items()):
        yield _concerning("unit-size-unknown", rows, currency, usage_type=usage_type)


def _concerning(
    code: str, rows: Sequence[Mapping[str, Any]], currency: str | None, **about: str
) -> Notice:
    lines = sum(row["lines"] for row in rows)
    if currency is None:  # of several currencies there is no sum
        return notice(code, lines=lines, about=about)
    amount = exact_sum(row["unblended_cost"] for row in rows)
    return notice(code, lines=lines, amount=amount, currency=currency, about=about)
